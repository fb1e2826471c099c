package circlecitest

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// policyState is what an organization has of config policies.
type policyState struct {
	bundle    map[string]*policyDocument
	enabled   bool
	decisions []*decisionLog // the oldest first
}

type policyDocument struct {
	content string
	created time.Time
	by      *user
}

type decisionLog struct {
	id       uuid.UUID
	created  time.Time
	decision decision
	metadata map[string]any
	bundle   map[string]*policyDocument
}

const (
	// maxBundleSize is how large the body of an upload may be.
	maxBundleSize = 5 << 19
	// decisionPageSize is how many decisions a page has.
	decisionPageSize = 20
)

func (d *policyDocument) view(name string) object {
	return object{"name": name, "content": d.content, "created_at": d.created.UTC().Format(time.RFC3339Nano), "created_by": d.by.id}
}

func bundleView(bundle map[string]*policyDocument) object {
	view := object{}
	for name, d := range bundle {
		view[name] = d.view(name)
	}
	return view
}

func (l *decisionLog) view() object {
	hashes := object{}
	for name, d := range l.bundle {
		sum := sha512.Sum512([]byte(d.content))
		hashes[name] = hex.EncodeToString(sum[:])
	}
	metadata := l.metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	return object{
		"id": l.id, "created_at": l.created.UTC().Format(time.RFC3339Nano), "decision": l.decision.view(), "metadata": metadata,
		"policies": hashes, "time_taken_ms": 1,
	}
}

// withPolicies is a handler for a route with a policies' owner.
func withPolicies(do func(s *Server, r *request, p *policyState) *answer) handler {
	return func(s *Server, r *request) *answer {
		switch {
		case uuid.Validate(r.params["ownerID"]) != nil:
			return failure(http.StatusBadRequest, "OwnerID: must be a valid UUID.")
		case r.params["context"] != "config":
			return failure(http.StatusBadRequest, "Context: must be a valid value.")
		}
		if o := s.orgBy(r.id("ownerID").String()); o != nil {
			return do(s, r, &o.policies)
		}
		return failure(http.StatusForbidden, "Forbidden")
	}
}

func withDecision(do func(l *decisionLog) *answer) handler {
	return withPolicies(func(_ *Server, r *request, p *policyState) *answer {
		if uuid.Validate(r.params["decisionID"]) != nil {
			return failure(http.StatusBadRequest, "DecisionID: must be a valid UUID.")
		}
		for _, l := range p.decisions {
			if l.id == r.id("decisionID") {
				return do(l)
			}
		}
		return failure(http.StatusNotFound, "decision log not found")
	})
}

var policyHandlers = map[string]handler{
	"GET /owner/{ownerID}/context/{context}/policy-bundle": withPolicies(func(_ *Server, _ *request, p *policyState) *answer {
		return ok(bundleView(p.bundle))
	}),
	"POST /owner/{ownerID}/context/{context}/policy-bundle": withPolicies(createBundle),
	"GET /owner/{ownerID}/context/{context}/policy-bundle/{policyName}": withPolicies(func(_ *Server, r *request, p *policyState) *answer {
		if d := p.bundle[r.params["policyName"]]; d != nil {
			return ok(d.view(r.params["policyName"]))
		}
		return failure(http.StatusNotFound, "policy not found")
	}),

	"GET /owner/{ownerID}/context/{context}/decision/settings": withPolicies(func(_ *Server, _ *request, p *policyState) *answer {
		return ok(object{"enabled": p.enabled})
	}),
	"PATCH /owner/{ownerID}/context/{context}/decision/settings": withPolicies(func(_ *Server, r *request, p *policyState) *answer {
		var in struct {
			Enabled *bool `json:"enabled"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		if in.Enabled == nil {
			return failure(http.StatusBadRequest, "enabled: is required.")
		}
		p.enabled = *in.Enabled
		return ok(object{"enabled": p.enabled})
	}),

	"GET /owner/{ownerID}/context/{context}/decision":  withPolicies(listDecisions),
	"POST /owner/{ownerID}/context/{context}/decision": withPolicies(decide),
	"GET /owner/{ownerID}/context/{context}/decision/{decisionID}": withDecision(func(l *decisionLog) *answer {
		return ok(l.view())
	}),
	"GET /owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle": withDecision(func(l *decisionLog) *answer {
		return ok(bundleView(l.bundle))
	}),
}

// createBundle replaces the bundle. The names of its policies are those that
// the documents declare.
func createBundle(s *Server, r *request, p *policyState) *answer {
	if len(r.body) > maxBundleSize {
		return failure(http.StatusRequestEntityTooLarge, "the request exceeds the maximum size of policy bundles")
	}
	var in struct {
		Policies *map[string]string `json:"policies"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Policies == nil {
		return failure(http.StatusBadRequest, "policies: is required.")
	}
	next, problem := s.parseBundle(*in.Policies)
	if problem != "" {
		return failure(http.StatusBadRequest, "invalid rego content: "+problem)
	}
	var created, modified, deleted []string
	for _, name := range slices.Sorted(maps.Keys(next)) {
		switch old := p.bundle[name]; {
		case old == nil:
			created = append(created, name)
		case old.content != next[name].content:
			modified = append(modified, name)
		default:
			next[name] = old
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.bundle)) {
		if next[name] == nil {
			deleted = append(deleted, name)
		}
	}
	diff := object{}
	for key, names := range map[string][]string{"created": created, "modified": modified, "deleted": deleted} {
		if len(names) > 0 {
			diff[key] = names
		}
	}
	if r.query.Get("dry") == "true" {
		return ok(diff)
	}
	p.bundle = next
	return &answer{status: http.StatusCreated, body: diff}
}

// parseBundle reads the documents' names, and says what is wrong with them.
func (s *Server) parseBundle(documents map[string]string) (bundle map[string]*policyDocument, problem string) {
	bundle = map[string]*policyDocument{}
	count := map[string]int{}
	var bad, foreign, twice []string
	for _, file := range slices.Sorted(maps.Keys(documents)) {
		pkg, name, err := regoName(documents[file])
		if err != nil {
			bad = append(bad, fmt.Sprintf("failed to parse file: %q: %v", file, err))
			continue
		}
		if pkg != "org" {
			foreign = append(foreign, fmt.Sprintf("%q: invalid package name: expected one of packages [org] but got %q", name, "package "+pkg))
		}
		if count[name]++; count[name] == 2 {
			twice = append(twice, name)
		}
		bundle[name] = &policyDocument{documents[file], s.now(), s.world.me}
	}
	for i, name := range twice {
		twice[i] = fmt.Sprintf("policy %q declared %d times", name, count[name])
	}
	switch {
	case len(bad) > 0:
		return nil, "failed to parse policy file(s): " + severalErrors(bad)
	case len(twice) > 0:
		return nil, "failed to parse bundle: " + severalErrors(twice)
	case len(foreign) > 0:
		return nil, "failed policy linting: " + severalErrors(foreign)
	}
	return bundle, ""
}

func severalErrors(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return strconv.Itoa(len(all)) + " error(s) occurred: " + strings.Join(all, "; ")
}

func decide(s *Server, r *request, p *policyState) *answer {
	var in struct {
		Input    *string        `json:"input"`
		Metadata map[string]any `json:"metadata"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Input == nil {
		return failure(http.StatusBadRequest, "input: is required.")
	}
	documents := map[string]string{}
	for name, d := range p.bundle {
		documents[name] = d.content
	}
	l := &decisionLog{
		id: s.newID(), created: s.now(), decision: decideRego(documents, *in.Input, in.Metadata), metadata: in.Metadata, bundle: maps.Clone(p.bundle),
	}
	p.decisions = lastOf(append(p.decisions, l), s.world.runs.keep)
	return ok(l.decision.view())
}

// listDecisions answers a bare array, the newest first.
func listDecisions(_ *Server, r *request, p *policyState) *answer {
	var bounds [2]time.Time
	for i, name := range []string{"after", "before"} {
		text := r.query.Get(name)
		if text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return failure(http.StatusBadRequest, name+": must be a valid date.")
		}
		bounds[i] = t
	}
	offset, err := strconv.Atoi(r.query.Get("offset"))
	if err != nil && r.query.Has("offset") || offset < 0 {
		return failure(http.StatusBadRequest, "offset: must be a number.")
	}
	after, before := bounds[0], bounds[1]
	all := []any{}
	for _, l := range slices.Backward(p.decisions) {
		if l.matches(r) && (after.IsZero() || l.created.After(after)) && (before.IsZero() || l.created.Before(before)) {
			all = append(all, l.view())
		}
	}
	all = all[min(offset, len(all)):]
	return ok(all[:min(decisionPageSize, len(all))])
}

func (l *decisionLog) matches(r *request) bool {
	vcs, _ := l.metadata["vcs"].(map[string]any)
	for name, value := range map[string]any{
		"status": l.decision.status, "branch": vcs["branch"], "project_id": l.metadata["project_id"], "build_number": l.metadata["build_number"],
	} {
		if want := r.query.Get(name); want != "" && want != plain(value) {
			return false
		}
	}
	return true
}

// plain is a value of metadata as a query has it.
func plain(value any) string {
	if n, ok := value.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
