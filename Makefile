# Everything here works offline, but for the Go module proxy; vuln says so
# where it needs more.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
# The modules of the repository. What users link of it is the first alone, or
# oidctoken with its library.
MODULES := . bench examples oidctoken tools
# The linter is pinned in tools/go.mod, and built by the first use.
LINT = $$(cd tools && $(GO) tool -n golangci-lint)
FUZZTIME ?= 10s

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: fmt
fmt: ## Format the code.
	@for m in $(MODULES); do (lint="$(LINT)"; cd $$m && $$lint fmt --config "$(CURDIR)/.golangci.yml" ./...); done

.PHONY: lint
lint: ## Look for mistakes: go vet, golangci-lint, go mod tidy and verify.
	@for m in $(MODULES); do \
		lint="$(LINT)"; (cd $$m && $(GO) vet ./... && $$lint run --config "$(CURDIR)/.golangci.yml" ./... && \
		$(GO) mod tidy -diff && $(GO) mod verify); \
	done

.PHONY: test
test: ## Run the tests.
	@for m in $(MODULES); do (cd $$m && $(GO) test ./...); done

.PHONY: race
race: ## Run the tests with the race detector.
	@for m in $(MODULES); do (cd $$m && $(GO) test -race ./...); done

.PHONY: cover
cover: ## Show which code the tests of this module run.
	$(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -1

.PHONY: bench
bench: ## Measure the package beside code by hand; bench/README.md has the results.
	@$(GO) run -C bench .

.PHONY: parts
parts: ## Run the benchmarks of the parts; their output is for benchstat.
	$(GO) test -run '^$$' -bench . -benchmem . ./circlecitest ./internal/...

.PHONY: examples
examples: ## Run each example, against the server of package circlecitest.
	@for main in examples/*/main.go; do \
		name=$$(basename $$(dirname $$main)); echo "== $$name"; \
		CIRCLE_TOKEN= $(GO) run -C examples ./$$name </dev/null; \
	done

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME; a nightly run takes FUZZTIME=10m.
	@$(GO) list ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what users link; the database lies on the network.
	@check="$$(cd tools && $(GO) tool -n govulncheck)"; \
	for m in . oidctoken; do \
		echo "== $$m"; code=0; out="$$(cd $$m && "$$check" ./... 2>&1)" || code=$$?; echo "$$out"; \
		if [[ "$$out" == *"fetching vulnerabilities"* ]]; then \
			echo "make vuln: NOTHING HAS BEEN CHECKED: the database, $${GOVULNDB:-https://vuln.go.dev}, cannot be reached" >&2; \
		fi; \
		[ $$code = 0 ] || exit $$code; \
	done

.PHONY: contract
contract: ## Hold the package and the fake against a document of CircleCI's: SPEC=path/to/openapi.json.
	@test -n "$(SPEC)" || { echo "which document? make contract SPEC=path/to/openapi.json"; exit 2; }
	@$(GO) run -C tools ./contract "$(abspath $(SPEC))"

.PHONY: spec
spec: ## Write the list of operations from a document of CircleCI's: SPEC=path/to/openapi.json.
	@test -n "$(SPEC)" || { echo "which document? make spec SPEC=path/to/openapi.json"; exit 2; }
	@list="$$($(GO) run -C tools ./specgen "$(abspath $(SPEC))")" && printf '%s\n' "$$list" > internal/spec/operations.go

# The fuzzing takes a count and no time: a machine that is busy fails nothing.
.PHONY: ci
ci: lint race test examples ## What a change has to pass.
	@$(MAKE) --no-print-directory fuzz FUZZTIME=1000x
