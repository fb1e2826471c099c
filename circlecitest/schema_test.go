package circlecitest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// schema is as much of a JSON Schema as the file of scenarios uses.
type schema struct {
	Ref         string `json:"$ref"`
	Description string
	Properties  map[string]*schema
	Items       *schema
	Members     any                `json:"additionalProperties"` // a schema, or false
	Defs        map[string]*schema `json:"$defs"`
}

// The schema and the types of documents have the same members, and the schema
// describes each.
func TestTheSchemaDescribesDocuments(t *testing.T) {
	var root schema
	require.NoError(t, json.Unmarshal(scenarioSchema, &root))
	seen := map[reflect.Type]bool{}
	var compare func(at string, s *schema, typ reflect.Type)
	compare = func(at string, s *schema, typ reflect.Type) {
		if name, isRef := strings.CutPrefix(s.Ref, "#/$defs/"); isRef {
			s = root.Defs[name]
			require.NotNil(t, s, "%s refers to nothing", at)
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		pointer := reflect.New(typ).Interface()
		_, decodesItself := pointer.(yaml.Unmarshaler)
		_, isText := pointer.(encoding.TextUnmarshaler)
		switch {
		case decodesItself || isText || seen[typ]:
		case typ.Kind() == reflect.Slice:
			compare(at+"[]", s.Items, typ.Elem())
		case typ.Kind() == reflect.Map && typ.Elem().Kind() != reflect.String:
			var members schema
			data, err := json.Marshal(s.Members)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &members))
			compare(at+"{}", &members, typ.Elem())
		case typ.Kind() == reflect.Struct:
			seen[typ] = true
			assert.Equal(t, false, s.Members, "%s permits other members", at)
			var names []string
			for field := range typ.Fields() {
				name := field.Tag.Get("yaml")
				if name == "" {
					name = strings.ToLower(field.Name)
				}
				names = append(names, name)
				if assert.Contains(t, s.Properties, name, at) {
					assert.NotEmpty(t, s.Properties[name].Description, "%s.%s has no description", at, name)
					compare(at+"."+name, s.Properties[name], field.Type)
				}
			}
			for name := range s.Properties {
				assert.Contains(t, names, name, "%s has a member that documents do not", at)
			}
		}
	}
	compare("", &root, reflect.TypeFor[scenarioDocument]())
}

// The README describes each scripting route, and each member of what they
// return.
func TestTheREADMEDescribesTheRoutes(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, route := range controlRoutes {
		assert.True(t, bytes.Contains(readme, []byte("`"+route.pattern+"`")), route.pattern)
	}
	for _, view := range []reflect.Type{reflect.TypeFor[requestView](), reflect.TypeFor[deliveryView]()} {
		for field := range view.Fields() {
			name := field.Tag.Get("json")
			assert.True(t, bytes.Contains(readme, []byte("`"+name+"`")), "%s.%s", view.Name(), name)
		}
	}
}
