# Everything here works offline, except for the Go module proxy; vuln says so
# where it needs more.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO ?= go
# The modules of the repository, in the order in which they depend on each other.
MODULES := . oidctoken circlecitest/opa otelcircleci redislimit circlecivet bench examples tools
# The linter is pinned in tools/go.mod. Its first build takes minutes.
LINT = $$(cd tools && $(GO) tool -n golangci-lint)
FUZZTIME ?= 10s
# The race detector needs a C compiler.
RACE ?= $(shell command -v $$($(GO) env CC) >/dev/null && echo -race)
# Where else the packages have to build, tests included.
PLATFORMS := windows/amd64 darwin/arm64 linux/386 linux/arm js/wasm plan9/amd64
# The other toolchains that the main module is tested with.
NEXT ?= go1.27.4
# each runs a command in all modules, goes on after a failure, and sums up.
each = failed=; for m in $(MODULES); do (cd $$m && $(1)) || failed="$$failed $$m"; done; \
	[ -z "$$failed" ] || { echo "FAILED in:$$failed" >&2; exit 1; }

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help.
	@echo "Development of circleci. A change has to pass 'make ci'."
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: fmt
fmt: ## Format the code.
	@lint="$(LINT)"; $(call each,"$$lint" fmt --config "$(CURDIR)/.golangci.yml" ./...)

.PHONY: lint
lint: ## Run go vet, golangci-lint, go mod tidy and go mod verify in each module.
	@lint="$(LINT)"; $(call each,$(GO) vet ./... && "$$lint" run --config "$(CURDIR)/.golangci.yml" ./... && \
		$(GO) mod tidy -diff && $(GO) mod verify)

.PHONY: docs
docs: ## Check that exports are documented, that services have examples, and the wording.
	@$(GO) run -C tools ./docs ..

.PHONY: test
test: ## Run the tests of all modules, with the race detector if there is a C compiler.
	@$(call each,$(GO) test $(RACE) ./... | { grep -v 'no test files' || true; })

.PHONY: toolchains
toolchains: cover ## Run the main module's tests with encoding/json/v2, as cover does, and with the next Go.
	GOTOOLCHAIN=$(NEXT) $(GO) test ./... | { grep -v 'no test files' || true; }

.PHONY: cross
cross: ## Build and vet for the other platforms, tests included.
	@for p in $(PLATFORMS); do \
		echo "== $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) build ./... ; \
		GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) vet ./... ; \
	done

.PHONY: cover
cover: ## Fail if a package's coverage is below its floor in tools/coverage/floors.txt. Tests with encoding/json/v2.
	GOEXPERIMENT=jsonv2 $(GO) test -coverpkg=./... -coverprofile=cover.out ./... | { grep -v 'no test files' || true; }
	@$(GO) run -C tools ./coverage ../cover.out coverage/floors.txt

.PHONY: mutate
mutate: ## Measure how many small changes to the code the tests notice. Takes half an hour.
	$(GO) run -C tools ./mutate -C .. . ./internal/transport ./internal/wire ./webhook ./circlecitest/...
	$(GO) run -C tools ./mutate -C ../oidctoken ./...

.PHONY: bench
bench: ## Measure the package against handwritten code; bench/README.md has the results.
	@$(GO) run -C bench .

.PHONY: bench-fleet
bench-fleet: ## Measure eight processes that share one limit; needs redis-server.
	@$(GO) run -C redislimit ./fleetbench

.PHONY: parts
parts: ## Run the benchmarks of the parts; their output is for benchstat.
	$(GO) test -run '^$$' -bench . -benchmem . ./circlecitest ./internal/...

.PHONY: examples
examples: ## Run each example against the server of package circlecitest.
	@bin="$$(mktemp -d)"; trap 'rm -rf "$$bin"' EXIT; cd examples; $(GO) build $(RACE) -o "$$bin/" ./...; \
	for main in */main.go; do \
		name=$${main%/*}; echo "== $$name"; \
		CIRCLE_TOKEN= "$$bin/$$name" </dev/null; \
	done

# go test would build the package's tests again for each target.
.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME; use FUZZTIME=10m for a nightly run.
	@bin="$$(mktemp -d)"; trap 'rm -rf "$$bin"' EXIT; cache="$$($(GO) env GOCACHE)/fuzz"; \
	$(GO) list -f '{{.ImportPath}} {{.Dir}}' ./... | while read -r pkg dir; do \
		grep -qs '^func Fuzz' "$$dir"/*_test.go || continue; \
		$(GO) test -c -fuzz . -o "$$bin/test" $$pkg; \
		for target in $$("$$bin/test" -test.list '^Fuzz'); do \
			echo "== $$pkg $$target"; (cd "$$dir" && "$$bin/test" -test.run '^$$' -test.fuzz "^$$target\$$" \
				-test.fuzztime $(FUZZTIME) -test.fuzzcachedir "$$cache/$$pkg"); \
		done; \
	done

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what users link. Needs the network.
	@check="$$(cd tools && $(GO) tool -n govulncheck)"; \
	for m in . oidctoken; do \
		echo "== $$m"; code=0; out="$$(cd $$m && "$$check" ./... 2>&1)" || code=$$?; echo "$$out"; \
		if [[ "$$out" == *"fetching vulnerabilities"* ]]; then \
			echo "make vuln: NOTHING HAS BEEN CHECKED: the database, $${GOVULNDB:-https://vuln.go.dev}, cannot be reached" >&2; \
		fi; \
		[ $$code = 0 ] || exit $$code; \
	done

.PHONY: apidiff
apidiff: ## List the incompatible changes of the public API since the last tag.
	@tag="$$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)"; \
	[ -n "$$tag" ] || { echo "nothing is tagged yet: there is nothing to compare with"; exit 0; }; \
	old="$$(mktemp -d)"; trap 'git worktree remove --force "$$old"' EXIT; git worktree add -q --detach "$$old" "$$tag"; \
	check="$$(cd tools && $(GO) tool -n apidiff)"; \
	(cd "$$old" && "$$check" -m -w "$$old/api" github.com/circleci-go/circleci); \
	"$$check" -m -incompatible "$$old/api" github.com/circleci-go/circleci

.PHONY: release-check
release-check: ## Build each module as users get it: without replace, against the others as tagged.
	@$(GO) run -C tools ./release v$$(sed -n 's/^const Version = "\(.*\)"/\1/p' client.go)

.PHONY: contract
contract: ## Compare the package and the fake with CircleCI's document: SPEC=path/to/openapi.json.
	@test -n "$(SPEC)" || { echo "which document? make contract SPEC=path/to/openapi.json"; exit 2; }
	@$(GO) run -C tools ./contract "$(abspath $(SPEC))"

.PHONY: contract-v3
contract-v3: ## Check package apiv3 against CircleCI's document of the API v3: SPEC=path/to/openapi.json.
	@test -n "$(SPEC)" || { echo "which document? make contract-v3 SPEC=path/to/openapi.json"; exit 2; }
	@$(GO) run -C tools ./contractv3 "$(abspath $(SPEC))"

.PHONY: spec
spec: ## Write the list of operations from CircleCI's document: SPEC=path/to/openapi.json.
	@test -n "$(SPEC)" || { echo "which document? make spec SPEC=path/to/openapi.json"; exit 2; }
	@list="$$($(GO) run -C tools ./specgen "$(abspath $(SPEC))")" && printf '%s\n' "$$list" > internal/spec/operations.go

# Two at a time, as many tests only wait. The fuzzing takes a count and no time: a
# machine that is busy fails nothing.
.PHONY: ci
ci: ## Run everything that a change has to pass.
	@$(MAKE) --no-print-directory -j2 --output-sync=target RACE=-race FUZZTIME=1000x \
		lint docs test toolchains examples fuzz
