package circleci_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"go/token"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/wire"
)

// codec is a pair of functions that encode and decode JSON.
type codec struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
	redacts   bool
}

// codecs are the one that programs use to store values, and this package's own.
var codecs = []codec{
	{"encoding/json", json.Marshal, json.Unmarshal, true},
	{"wire", wire.Marshal, wire.Unmarshal, false},
}

// storeAndLoad encodes a value, decodes it again into a value of the same type,
// and returns the paths at which the two differ.
func storeAndLoad(t *testing.T, c codec, v any) []string {
	t.Helper()
	if several, ok := v.(map[string]any); ok { // a row that puts values together
		var paths []string
		for _, one := range several {
			paths = append(paths, storeAndLoad(t, c, one)...)
		}
		return paths
	}
	data, err := c.marshal(v)
	require.NoError(t, err, c.name)
	out := reflect.New(reflect.TypeOf(v))
	require.NoError(t, c.unmarshal(data, out.Interface()), "%s: %s", c.name, data)
	return differences("", reflect.ValueOf(v), out.Elem(), c.redacts)
}

// differences returns the paths at which two values of one type differ. Nil and
// empty lists are the same, and so are times of the same instant, and numbers of
// the same value where any type is possible.
func differences(path string, a, b reflect.Value, redacts bool) (paths []string) {
	if a.IsValid() != b.IsValid() {
		return []string{path}
	}
	if !a.IsValid() {
		return nil
	}
	switch x := a.Interface().(type) {
	case circleci.Secret:
		if redacts && x != "" {
			x = "REDACTED"
		}
		if b.Interface().(circleci.Secret) != x {
			paths = append(paths, path)
		}
		return paths
	case time.Time:
		if !x.Equal(b.Interface().(time.Time)) {
			paths = append(paths, path)
		}
		return paths
	}
	switch a.Kind() {
	case reflect.Pointer:
		return differences(path, a.Elem(), b.Elem(), redacts)
	case reflect.Interface:
		if x, ok := asFloat(a.Elem()); ok {
			if y, ok := asFloat(b.Elem()); !ok || x != y {
				paths = append(paths, path)
			}
			return paths
		}
		return differences(path, a.Elem(), b.Elem(), redacts)
	case reflect.Struct:
		for field, value := range a.Fields() {
			if !field.IsExported() {
				if !reflect.DeepEqual(a.Interface(), b.Interface()) {
					paths = append(paths, path)
				}
				return paths
			}
			paths = append(paths, differences(path+"."+field.Name, value, b.FieldByIndex(field.Index), redacts)...)
		}
		return paths
	case reflect.Slice:
		if a.Len() != b.Len() {
			return []string{path}
		}
		for i := range a.Len() {
			paths = append(paths, differences(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i), redacts)...)
		}
		return paths
	case reflect.Map:
		if a.Len() != b.Len() {
			return []string{path}
		}
		for _, key := range a.MapKeys() {
			paths = append(paths, differences(fmt.Sprintf("%s[%v]", path, key), a.MapIndex(key), b.MapIndex(key), redacts)...)
		}
		return paths
	default:
		if a.Kind() != b.Kind() || a.Interface() != b.Interface() {
			paths = append(paths, path)
		}
		return paths
	}
}

// asFloat returns the value of a number of any type.
func asFloat(v reflect.Value) (float64, bool) {
	switch {
	case !v.IsValid():
		return 0, false
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}

// What the API returned can be stored and read again.
func TestResultsSurviveARoundTrip(t *testing.T) {
	for _, c := range operationTests {
		for _, fixture := range []string{c.fixture + ".json", c.fixture + ".sparse.json"} {
			t.Run(c.op+" "+fixture, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if _, got := runOperation(t, c, fixture); got != nil {
						for _, codec := range codecs {
							assert.Empty(t, storeAndLoad(t, codec, got), codec.name)
						}
					}
				})
			})
		}
	}
}

// What several calls found out can be stored, too.
func TestResultsOfCompositesSurviveARoundTrip(t *testing.T) {
	srv, run, err := failedRun()
	require.NoError(t, err)
	defer srv.Close()
	client, ctx := srv.Client(), t.Context()
	withJobs, err := client.Pipelines.Wait(ctx, run.Pipeline.ID, &circleci.WaitOptions{WithJobs: true})
	require.NoError(t, err)
	workflow, err := client.Workflows.Wait(ctx, run.Workflows[0].ID, nil)
	require.NoError(t, err)
	job, err := client.Jobs.Wait(ctx, "gh/acme/web", run.FailedJobs[0].Number, nil)
	require.NoError(t, err)
	tests, err := client.Pipelines.GetTestReport(ctx, run.Pipeline.ID)
	require.NoError(t, err)
	report, err := client.Pipelines.GetFailureReport(ctx, run.Pipeline.ID, nil)
	require.NoError(t, err)
	files, err := client.Pipelines.DownloadArtifacts(ctx, run.Pipeline.ID, t.TempDir(), nil)
	require.NoError(t, err)
	for _, v := range []any{withJobs, workflow, job, tests, report, files} {
		for _, codec := range codecs {
			assert.Empty(t, storeAndLoad(t, codec, v), "%T: %s", v, codec.name)
		}
	}
}

// Owners, references and sources, which constructors create, can be printed,
// compared, stored and read again.
func TestRequestsSurviveARoundTrip(t *testing.T) {
	const actor = circleci.AttributionActorCurrent
	missing := typesWithConstructors()
	assert.Greater(t, len(missing), 6)
	for _, c := range []struct {
		value, other any
		text         string // as printed
	}{
		{circleci.OwnerByID(id1), circleci.OwnerByID(id2), `{"id":"` + id1.String() + `","type":"organization"}`},
		{circleci.OwnerBySlug("gh/acme"), circleci.OwnerBySlug("gh/acme2"), `{"slug":"gh/acme","type":"organization"}`},
		{circleci.OwnerByAccountID(id1), circleci.OwnerByID(id1), `{"id":"` + id1.String() + `","type":"account"}`},
		{circleci.OrgByID(id1), circleci.OrgByID(id2), id1.String()},
		{circleci.OrgBySlug("gh/acme"), circleci.OrgBySlug("bb/acme"), "gh/acme"},
		{circleci.OrgRef{}, circleci.OrgBySlug("gh/acme"), ""},
		{circleci.Branch("main"), circleci.Tag("main"), `{"branch":"main"}`},
		{circleci.Tag("v1"), circleci.Tag("v2"), `{"tag":"v1"}`},
		{circleci.ConfigFrom(circleci.Branch("main")), circleci.ConfigFrom(circleci.Tag("main")), `{"branch":"main"}`},
		{circleci.InlineConfig("jobs: {}"), circleci.InlineConfig(""), `{"content":"jobs: {}"}`},
		{circleci.GitHubAppConfig("1", "a.yml"), circleci.GitHubServerConfig("1", "a.yml"), `{"provider":"github_app","repo":{"external_id":"1"},"file_path":"a.yml"}`},
		{circleci.GitHubServerConfig("1", "a.yml"), circleci.HostedConfig("a.yml"), `{"provider":"github_server","repo":{"external_id":"1"},"file_path":"a.yml"}`},
		{circleci.HostedConfig("a.yml"), circleci.HostedConfig("b.yml"), `{"provider":"circleci","file_path":"a.yml"}`},
		{circleci.GitHubAppCheckout("1"), circleci.GitHubAppCheckout("2"), `{"provider":"github_app","repo":{"external_id":"1"}}`},
		{circleci.GitHubServerCheckout("1"), circleci.GitHubAppCheckout("1"), `{"provider":"github_server","repo":{"external_id":"1"}}`},
		{circleci.GitHubAppEvents("1"), circleci.GitHubOAuthEvents("1"), `{"provider":"github_app","repo":{"external_id":"1"}}`},
		{circleci.CustomWebhookEvents("bot"), circleci.CustomWebhookEvents("cat"), `{"provider":"webhook","webhook":{"sender":"bot"}}`},
		{circleci.ScheduledEvents("0 3 * * *", actor), circleci.ScheduledEvents("0 4 * * *", actor), `{"provider":"schedule","schedule":{"cron_expression":"0 3 * * *","attribution_actor":"current"}}`},
		{circleci.CustomWebhookEventsUpdate("bot"), circleci.CustomWebhookEventsUpdate("cat"), `{"webhook":{"sender":"bot"}}`},
		{circleci.ScheduledEventsUpdate("0 3 * * *", actor), circleci.ScheduledEventsUpdate("0 4 * * *", actor), `{"provider":"schedule","schedule":{"cron_expression":"0 3 * * *","attribution_actor":"current"}}`},
		{circleci.ProjectScope(id1), circleci.ProjectScope(id2), ""},
		{circleci.ProjectRestriction(id1), circleci.GroupRestriction(id1), ""},
		{circleci.ExpressionRestriction("true"), circleci.ExpressionRestriction("false"), ""},
	} {
		delete(missing, reflect.TypeOf(c.value))
		t.Run(fmt.Sprintf("%T %s", c.value, c.text), func(t *testing.T) {
			assert.True(t, reflect.TypeOf(c.value).Comparable())
			assert.NotEqual(t, c.value, c.other)
			if _, ok := c.value.(fmt.Stringer); ok {
				assert.Equal(t, c.text, fmt.Sprint(c.value))
			}
			zero := reflect.Zero(reflect.TypeOf(c.value)).Interface()
			for _, v := range []any{c.value, zero} {
				for _, codec := range codecs {
					data, err := codec.marshal(v)
					require.NoError(t, err)
					out := reflect.New(reflect.TypeOf(v))
					require.NoError(t, codec.unmarshal(data, out.Interface()), codec.name)
					assert.Equal(t, v, out.Elem().Interface(), "%s: %s", codec.name, data)
				}
			}
		})
	}
	assert.Empty(t, missing, "types that the table lacks")

	var ref circleci.OrgRef
	require.ErrorIs(t, json.Unmarshal([]byte(`"a/b/c"`), &ref), circleci.ErrInvalidArgument)
	require.ErrorIs(t, json.Unmarshal([]byte(`"acme"`), &ref), circleci.ErrInvalidArgument)
}

// typesWithConstructors returns the types below the parameters of the services'
// methods that have only unexported fields and encode themselves.
func typesWithConstructors() map[reflect.Type]bool {
	found, seen := map[reflect.Type]bool{}, map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			visit(t.Elem())
		case reflect.Struct:
			exported := false
			for field := range t.Fields() {
				exported = exported || field.IsExported()
				visit(field.Type)
			}
			marshals := t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
			if marshals && !exported && token.IsExported(t.Name()) && t.PkgPath() == reflect.TypeFor[circleci.Client]().PkgPath() && !isOptional(t) {
				found[t] = true
			}
		default: // it has nothing below it
		}
	}
	for _, service := range services() {
		for method := range service.Methods() {
			for in := range method.Type.Ins() {
				visit(in)
			}
		}
	}
	return found
}
