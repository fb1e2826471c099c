package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// constructors make the values of types that nothing else makes, each in
// another way. One that is missing here is reported.
var constructors = map[string]any{
	"OrgBySlug": circleci.OrgBySlug, "OrgByID": circleci.OrgByID,
	"OwnerByID": circleci.OwnerByID, "OwnerBySlug": circleci.OwnerBySlug, "OwnerByAccountID": circleci.OwnerByAccountID,
	"Branch": circleci.Branch, "Tag": circleci.Tag,
	"ConfigFrom": circleci.ConfigFrom, "InlineConfig": circleci.InlineConfig,
	"GitHubAppConfig": circleci.GitHubAppConfig, "GitHubServerConfig": circleci.GitHubServerConfig, "HostedConfig": circleci.HostedConfig,
	"GitHubAppCheckout": circleci.GitHubAppCheckout, "GitHubServerCheckout": circleci.GitHubServerCheckout,
	"GitHubAppEvents": circleci.GitHubAppEvents, "GitHubServerEvents": circleci.GitHubServerEvents,
	"GitHubOAuthEvents": circleci.GitHubOAuthEvents, "CustomWebhookEvents": circleci.CustomWebhookEvents,
	"ScheduledEvents":           circleci.ScheduledEvents,
	"CustomWebhookEventsUpdate": circleci.CustomWebhookEventsUpdate, "ScheduledEventsUpdate": circleci.ScheduledEventsUpdate,
}

// fixed are values of types that take not everything.
var fixed = map[reflect.Type]any{
	reflect.TypeFor[context.Context]():      context.Background(),
	reflect.TypeFor[uuid.UUID]():            uuid.MustParse("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"),
	reflect.TypeFor[time.Time]():            time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC),
	reflect.TypeFor[circleci.ProjectSlug](): circleci.ProjectSlug("gh/acme/web"),
	reflect.TypeFor[circleci.OrgSlug]():     circleci.OrgSlug("gh/acme"),
	reflect.TypeFor[circleci.Duration]():    circleci.Duration(90 * time.Minute),
}

// plainText is what texts are filled with.
const plainText = "text"

// mapKey is the name of a map's only entry: schedules need it among their
// parameters.
const mapKey = "branch"

// marker stands for all constants of an enumeration. Enumerations are open, so
// that it goes where they go.
func marker(enum string) string { return "{" + enum + "}" }

func markedBy(text string) (enum string, ok bool) {
	enum, ok = strings.CutPrefix(text, "{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(enum, "}")
}

// unmarked puts a value in the place of each marker.
func (src *source) unmarked(text string) string {
	for name, values := range src.enums {
		text = strings.ReplaceAll(text, marker(name), values[0])
	}
	return text
}

// filler makes values of any type with everything set, but for what its
// choices leave out.
type filler struct {
	src *source
	// choices are by place: which of the constructors, or leftOut.
	choices map[string]int
	// slots are the places that were met, with the number of choices there.
	slots map[string]int
}

const leftOut = -1

func newFiller(src *source, choices map[string]int) *filler {
	return &filler{src: src, choices: choices, slots: map[string]int{}}
}

func (f *filler) value(t reflect.Type, path string) reflect.Value {
	if v, ok := fixed[t]; ok {
		out := reflect.New(t).Elem()
		out.Set(reflect.ValueOf(v))
		return out
	}
	if makers := makersOf(t); len(makers) > 0 {
		return f.construct(makers, path)
	}
	out := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(f.value(t.Elem(), path))
	case reflect.Slice:
		item := f.value(t.Elem(), path+"[]")
		out.Set(reflect.Append(out, item, item)) // two, to tell a list from its only item
	case reflect.Map:
		out.Set(reflect.MakeMap(t))
		out.SetMapIndex(reflect.ValueOf(mapKey).Convert(t.Key()), f.value(t.Elem(), path+"{}"))
	case reflect.Struct:
		f.fields(out, path)
	case reflect.String:
		out.SetString(plainText)
		if f.src.isEnum(t) {
			out.SetString(marker(t.Name()))
		}
	case reflect.Bool:
		out.SetBool(true)
	case reflect.Int, reflect.Int64:
		out.SetInt(7)
	case reflect.Float64:
		out.SetFloat(3) // a whole number goes where numbers of either kind go
	case reflect.Interface:
		out.Set(reflect.ValueOf(plainText))
	default:
		panic(unknownKind{fmt.Errorf("a %s cannot be filled", t)})
	}
	return out
}

func (f *filler) fields(out reflect.Value, path string) {
	t := out.Type()
	if strings.HasPrefix(t.Name(), "Optional[") {
		f.optional(out, path)
		return
	}
	filled := false
	for field := range t.Fields() {
		if !field.IsExported() {
			continue
		}
		filled = true
		place := path + "." + field.Name
		if field.Anonymous {
			place = path
		} else if f.slot(place, 1) == leftOut {
			continue
		}
		out.FieldByIndex(field.Index).Set(f.value(field.Type, place))
	}
	if !filled {
		panic(unknownKind{fmt.Errorf("no constructor of a %s is in the table of fill.go", t)})
	}
}

// optional fills the field value of an Optional, for which there is no function
// that reflection could call.
func (f *filler) optional(out reflect.Value, path string) {
	some := reflect.ValueOf(new(circleci.Some(0))).Elem()
	hidden(out, "state").Set(hidden(some, "state"))
	value := hidden(out, "value")
	value.Set(f.value(value.Type(), path))
}

func hidden(v reflect.Value, field string) reflect.Value {
	inner := v.FieldByName(field)
	return reflect.NewAt(inner.Type(), unsafe.Pointer(inner.UnsafeAddr())).Elem()
}

// unknownKind is thrown for a type that the filler knows nothing of.
type unknownKind struct{ error }

// slot meets a place, and says what is chosen for it.
func (f *filler) slot(path string, choices int) int {
	f.slots[path] = max(f.slots[path], choices)
	return f.choices[path]
}

func (f *filler) construct(makers []string, path string) reflect.Value {
	choice := max(f.slot(path, len(makers)), 0)
	fn := reflect.ValueOf(constructors[makers[choice]])
	args := make([]reflect.Value, fn.Type().NumIn())
	for i := range args {
		args[i] = f.value(fn.Type().In(i), path+"."+makers[choice]+strconv.Itoa(i))
	}
	return fn.Call(args)[0]
}

// makersOf returns the names of a type's constructors.
func makersOf(t reflect.Type) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(constructors)) {
		if reflect.TypeOf(constructors[name]).Out(0) == t {
			names = append(names, name)
		}
	}
	return names
}

// missingConstructors names those that the table lacks: of the types that it
// has others of.
func (src *source) missingConstructors() []string {
	known := map[string]bool{}
	for name := range constructors {
		known[src.constructors[name]] = true
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(src.constructors)) {
		if _, ok := constructors[name]; !ok && known[src.constructors[name]] {
			names = append(names, name)
		}
	}
	return names
}
