package circleci_test

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/spec"
)

// hostileTexts are arguments that would like to be paths.
func hostileTexts() []string {
	texts := []string{
		"", " ", ".", "..", "...", "/", "//", "a/b", "/a", "a/", "../x", "x/..", "a/../b", `..\x`, `a\b`, "%2e", "%2E%2e", "..%2f", "%2F", "%", "%zz",
		"%00", "?x=y", "a?b", "#x", "a#b", ";x", "a;b=c", "@", ":", "://", "http://evil.example.com/", "//evil.example.com", "*", "~", "+", "&", "=",
		"\x00", "\r\n", "a\r\nHost: evil", "\t", "\x7f", "\x80", "\xff\xfe", "\xc0\xae\xc0\xae", "é", "‥", "．．", "／", "\u202e", "{context_id}", "{", "}",
		"envvar", "settings", "me", "..;/x", ".%00.", "null", strings.Repeat("../", 50), strings.Repeat("a", 5000),
	}
	parts := []string{".", "..", "/", `\`, "%2e", "%2f", "%5c", "?", "#", "\x00", "\r\n", " ", "é", "\xff", "a", ";", ":", "@", "{x}", "%"}
	random := rand.New(rand.NewPCG(1, 2)) // the same texts each time
	for range 60 {
		var b strings.Builder
		for range 1 + random.IntN(6) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		texts = append(texts, b.String())
	}
	return texts
}

// argument is a value of a type that holds a text wherever it can.
func argument(typ reflect.Type, text string, depth int) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ {
	case reflect.TypeFor[uuid.UUID]():
		return reflect.ValueOf(id1)
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC))
	case reflect.TypeFor[circleci.OrgRef]():
		return reflect.ValueOf(circleci.OrgBySlug(circleci.OrgSlug(slugOf(2, text))))
	case reflect.TypeFor[circleci.OrgSlug]():
		return reflect.ValueOf(circleci.OrgSlug(slugOf(2, text)))
	case reflect.TypeFor[circleci.ProjectSlug]():
		return reflect.ValueOf(circleci.ProjectSlug(slugOf(3, text)))
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		if depth < 3 {
			v.Set(reflect.New(typ.Elem()))
			v.Elem().Set(argument(typ.Elem(), text, depth+1))
		}
	case reflect.Slice:
		if depth < 3 {
			v.Set(reflect.Append(v, argument(typ.Elem(), text, depth+1)))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		if typ.Elem().Kind() != reflect.Interface {
			v.SetMapIndex(argument(typ.Key(), text, depth+1), argument(typ.Elem(), text, depth+1))
		}
	case reflect.Struct:
		for i := range typ.NumField() {
			if typ.Field(i).IsExported() {
				v.Field(i).Set(argument(typ.Field(i).Type, text, depth+1))
			}
		}
	default: // nil, or false
	}
	return v
}

// slugOf puts a text into the place of a slug's last segment; a text with a
// mark in front is the slug itself.
func slugOf(segments int, text string) string {
	if whole, ok := strings.CutPrefix(text, wholeMark); ok {
		return whole
	}
	return strings.Repeat("gh/", segments-1) + text
}

const wholeMark = "whole slug:"

// samples are inputs that have to be right before anything is sent.
var samples = map[reflect.Type]any{
	reflect.TypeFor[circleci.ContextOwner]():           circleci.OwnerByID(id1),
	reflect.TypeFor[circleci.CreateContextRequest]():   circleci.CreateContextRequest{Name: "deploy", Owner: circleci.OwnerByID(id1)},
	reflect.TypeFor[circleci.TriggerPipelineRequest](): circleci.TriggerPipelineRequest{Branch: "main"},
	reflect.TypeFor[circleci.CreatePipelineDefinitionRequest](): circleci.CreatePipelineDefinitionRequest{
		Name: "build", ConfigSource: circleci.GitHubAppConfig("1", "a.yml"), CheckoutSource: circleci.GitHubAppCheckout("1"),
	},
	reflect.TypeFor[circleci.UpdateSettingsRequest](): circleci.UpdateSettingsRequest{
		Advanced: circleci.UpdateAdvancedSettings{DisableSSH: circleci.Some(true)},
	},
	reflect.TypeFor[circleci.CreateScheduleRequest](): circleci.CreateScheduleRequest{
		Name: "nightly", Timetable: circleci.Weekly(2, []int{0}, circleci.DayOfWeekMonday),
		AttributionActor: circleci.AttributionActorSystem, Parameters: circleci.Parameters{"branch": "main"},
	},
	reflect.TypeFor[circleci.UpdateScheduleRequest](): circleci.UpdateScheduleRequest{Name: circleci.Some("nightly")},
	reflect.TypeFor[circleci.CreateTriggerRequest](): circleci.CreateTriggerRequest{
		EventSource: circleci.CustomWebhookEvents("datadog"), EventName: "alert", CheckoutRef: "main", ConfigRef: "main",
	},
	reflect.TypeFor[circleci.UsageWindow](): circleci.UsageWindow{
		Start: time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC), End: time.Date(1999, 12, 2, 0, 0, 0, 0, time.UTC),
	},
	reflect.TypeFor[circleci.UpdateWebhookRequest](): circleci.UpdateWebhookRequest{Name: circleci.Some("hook")},
	reflect.TypeFor[fs.FS]():                         fstest.MapFS{"a.rego": {Data: []byte("package org")}},
}

// elsewhere are methods that follow a URL of the API's, and no template.
var elsewhere = []string{"Jobs.DownloadArtifact"}

// exhaust walks what a method has returned, so that all is sent that would be.
func exhaust(ctx context.Context, results []reflect.Value) {
	for _, r := range results {
		if all := r.MethodByName("All"); all.IsValid() {
			r = all.Call([]reflect.Value{reflect.ValueOf(ctx)})[0]
		}
		if r.Kind() == reflect.Func && r.Type().CanSeq2() {
			for range r.Seq2() {
			}
		}
	}
}

// templates are those of the operations that a method may send, by its name;
// a method that is made of others may send those of all.
func templates(t *testing.T) (byMethod map[string][]string, all []string) {
	t.Helper()
	byMethod = map[string][]string{}
	for _, m := range serviceMethods(t) {
		byMethod[m.name] = m.directives
	}
	byMethod["Projects.GetByID"] = []string{"GET /project/{id}"} // where the API takes an ID for a slug
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		all = append(all, op.Method+" "+op.Path)
	}
	return byMethod, all
}

var (
	placeholder = regexp.MustCompile(`\\\{[^/]*?\\\}`)
	// segment is one that a server finds whole, however it decodes.
	segment = `[A-Za-z0-9._~!$&'()*+,;=:@%-]+`
)

// ofTemplate is a pattern of the paths that fill a template.
func ofTemplate(template string) *regexp.Regexp {
	method, path, _ := strings.Cut(template, " ")
	if !strings.HasPrefix(path, "/api/") {
		path = "/api/v2" + path
	}
	pattern := placeholder.ReplaceAllStringFunc(regexp.QuoteMeta(path), func(name string) string {
		switch strings.Trim(name, `\{}`) {
		case "project-slug":
			return segment + "/" + segment + "/" + segment
		case "org-slug":
			return segment + "/" + segment
		}
		return segment
	})
	return regexp.MustCompile("^" + method + " " + pattern + "$")
}

// astray says how a request is none of those that fill the templates; empty if
// it is one.
func astray(sent sentRequest, patterns []*regexp.Regexp) string {
	u, err := url.Parse(sent.URL)
	if err != nil {
		return "no URL: " + err.Error()
	}
	path := u.EscapedPath()
	if u.Scheme != "https" || u.Host != "circleci.com" && u.Host != "api.circleci.com" || u.User != nil || u.Fragment != "" {
		return "another server: " + sent.URL
	}
	for one := range strings.SplitSeq(path[1:], "/") {
		text, err := url.PathUnescape(one)
		if err != nil {
			return "badly escaped: " + path
		}
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == "." || part == ".." {
				return "dots that a server would follow: " + path
			}
		}
	}
	if !slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(sent.Method + " " + path) }) {
		return "another route: " + sent.Method + " " + path
	}
	return ""
}

// No argument leads to another route than the method's own, whatever it holds:
// a branch, a variable's name or a slug comes from people, and a delete that
// goes astray deletes something else.
func TestNoArgumentLeadsToAnotherRoute(t *testing.T) {
	byMethod, all := templates(t)
	anyOperation := patternsOf(all)
	texts := hostileTexts()
	synctest.Test(t, func(t *testing.T) {
		for field := range reflect.TypeFor[circleci.Client]().Fields() {
			if !field.IsExported() {
				continue
			}
			for method := range field.Type.Methods() {
				name := field.Name + "." + method.Name
				if slices.Contains(elsewhere, name) {
					continue
				}
				allowed := anyOperation
				if own, ok := byMethod[name]; ok {
					allowed = patternsOf(own)
				}
				wire := always(answers(404, `{"message":"no"}`))
				service := reflect.ValueOf(wire.client(t)).Elem().FieldByIndex(field.Index)
				hostileCalls(t.Context(), service.MethodByName(method.Name), texts)
				sent := wire.requests()
				assert.NotEmpty(t, sent, "%s sends nothing, and proves nothing: it needs a sample", name)
				assertNoneAstray(t, name, sent, allowed)
			}
		}
	})
}

func TestNoPathParameterLeadsToAnotherRoute(t *testing.T) {
	_, all := templates(t)
	for _, template := range all {
		wire := always(answers(404, `{"message":"no"}`))
		client := wire.client(t)
		method, route, _ := strings.Cut(template, " ")
		names := regexp.MustCompile(`\{[^}]*\}`).FindAllString(route, -1)
		for _, text := range hostileTexts() {
			for hostile := range names {
				values := make([]any, len(names))
				for i, name := range names {
					param := "web"
					if i == hostile {
						param = text
					}
					switch name {
					case "{project-slug}":
						values[i] = circleci.ProjectSlug(slugOf(3, param))
					case "{org-slug}":
						values[i] = circleci.OrgSlug(slugOf(2, param))
					default:
						values[i] = param
					}
				}
				_ = client.Do(t.Context(), circleci.Request{Method: method, Route: route, Params: values}, nil) // a 404, or refused
			}
		}
		assert.Equal(t, len(names) > 0, len(wire.requests()) > 0, "%s: texts that are no harm are sent", template)
		assertNoneAstray(t, template, wire.requests(), patternsOf([]string{template}))
	}
}

func patternsOf(templates []string) (patterns []*regexp.Regexp) {
	for _, template := range templates {
		patterns = append(patterns, ofTemplate(template))
	}
	return patterns
}

// assertNoneAstray reports the first of the requests that went elsewhere.
func assertNoneAstray(t *testing.T, name string, sent []sentRequest, allowed []*regexp.Regexp) {
	t.Helper()
	for _, one := range sent {
		if problem := astray(one, allowed); problem != "" {
			t.Errorf("%s sends a request to %s", name, problem)
			return
		}
	}
}

func TestWhatGoesAstrayIsFound(t *testing.T) {
	allowed := patternsOf([]string{"DELETE /project/{project-slug}/envvar/{name}"})
	assert.Empty(t, astray(sentRequest{Method: "DELETE", URL: api + "/project/gh/acme/web/envvar/A%2FB"}, allowed))
	for _, path := range []string{
		"/project/gh/acme/web", "/project/gh/acme/web/envvar", "/project/gh/acme/web/envvar/", "/project/gh/acme/web/envvar/a/b",
		"/project/gh/acme/web/checkout-key/a", "/project/gh/acme/web/envvar/%2e%2e", "/project/gh/acme/web/envvar/a%2f..%2fb", "/project/gh/acme/envvar/a",
	} {
		assert.NotEmpty(t, astray(sentRequest{Method: "DELETE", URL: api + path}, allowed), path)
	}
	assert.NotEmpty(t, astray(sentRequest{Method: "GET", URL: api + "/project/gh/acme/web/envvar/A"}, allowed))
	assert.NotEmpty(t, astray(sentRequest{Method: "DELETE", URL: "https://evil.example.com/api/v2/project/gh/acme/web/envvar/A"}, allowed))
}

// hostileCalls calls a method with each text in each place that is of a path,
// and in all at once.
func hostileCalls(ctx context.Context, method reflect.Value, texts []string) {
	typ := method.Type()
	call := func(textAt func(i int) string) {
		args := make([]reflect.Value, 0, typ.NumIn())
		for i := range typ.NumIn() {
			in := typ.In(i)
			switch sample, ok := samples[in]; {
			case in == reflect.TypeFor[context.Context]():
				args = append(args, reflect.ValueOf(ctx))
			case in == reflect.TypeFor[[]circleci.RequestOption]():
				args = append(args, reflect.ValueOf(circleci.Query(textAt(i), textAt(i), "x")))
			case ok:
				args = append(args, reflect.ValueOf(sample))
			default:
				args = append(args, argument(in, textAt(i), 0))
			}
		}
		exhaust(ctx, method.Call(args))
	}
	for _, text := range texts {
		call(func(int) string { return text })
		for hostile := range typ.NumIn() {
			if in := typ.In(hostile); in.Kind() != reflect.String && in != reflect.TypeFor[circleci.OrgRef]() {
				continue
			}
			call(func(i int) string {
				if i == hostile {
					return text
				}
				return "web"
			})
			call(func(i int) string {
				if i == hostile {
					return wholeMark + text
				}
				return "web"
			})
		}
	}
}
