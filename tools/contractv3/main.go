// Command contractv3 checks package apiv3 against CircleCI's OpenAPI document
// of the API v3:
//
//	make contract-v3 SPEC=path/to/openapi.json
//
// The package was written without that document, so differences are to be
// expected the first time. It prints a line for each, and fails if there is
// one:
//
//	route-undocumented   the document lacks the operation of a method
//	query-undeclared     the document lacks a parameter of the query that can be sent
//	query-unsendable     no method sends a parameter that is required
//	request-undeclared   the document lacks a property that can be sent
//	request-unsendable   no field sends a property
//	response-undeclared  the document lacks the property that a field is for
//	response-lost        no field keeps a property of a response
package main

import (
	"fmt"
	"log"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/internal/spec"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: contractv3 path/to/openapi.json")
	}
	differences, err := differencesTo(os.Args[1], "../apiv3")
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range differences {
		fmt.Println(d)
	}
	log.Printf("contractv3: %d differences", len(differences))
	if len(differences) > 0 {
		os.Exit(1)
	}
}

// differencesTo compares the package with a document.
func differencesTo(file, dir string) ([]string, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	methods, err := methodsOf(dir)
	if err != nil {
		return nil, err
	}
	c := comparison{operations: map[string]*operation{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			c.operations[keyOf(method, path)] = &operation{item, op}
		}
	}
	for _, op := range spec.V3 {
		c.compare(op, methods[op.Method+" "+op.Path])
	}
	slices.Sort(c.differences)
	return slices.Compact(c.differences), nil
}

type operation struct {
	item *openapi3.PathItem
	*openapi3.Operation
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// keyOf names an operation whatever its placeholders are called, and whether
// its path begins with the version or not.
func keyOf(method, path string) string {
	return method + " " + placeholder.ReplaceAllString(strings.TrimPrefix(path, "/api/v3"), "{}")
}

type comparison struct {
	operations  map[string]*operation
	differences []string
}

func (c *comparison) differ(kind, key, what string) {
	c.differences = append(c.differences, strings.TrimSpace(kind+" "+key+" "+what))
}

func (c *comparison) compare(op spec.OperationV3, m *method) {
	key := op.Method + " " + op.Path
	documented := c.operations[keyOf(op.Method, op.Path)]
	if documented == nil {
		c.differ("route-undocumented", key, "")
		return
	}
	declared := map[string]bool{}
	for _, p := range slices.Concat(documented.item.Parameters, documented.Parameters) {
		if p.Value.In != openapi3.ParameterInQuery {
			continue
		}
		declared[p.Value.Name] = true
		if p.Value.Required && !slices.Contains(op.Query, p.Value.Name) {
			c.differ("query-unsendable", key, p.Value.Name)
		}
	}
	for _, name := range op.Query {
		if !declared[name] {
			c.differ("query-undeclared", key, name)
		}
	}
	if m == nil {
		return
	}
	c.names(key, "request", documented.request(), m.request, "unsendable")
	c.names(key, "response", documented.response(), m.response, "lost")
}

// names compares the properties of a document with the fields of a type.
func (c *comparison) names(key, what string, documented properties, typ reflect.Type, missing string) {
	if len(documented) == 0 || typ == nil || typ.Kind() != reflect.Struct {
		return
	}
	fields := fieldsOf(typ)
	for name, others := range documented {
		if !fields[name] && !slices.ContainsFunc(others, func(other string) bool { return fields[other] }) {
			c.differ(what+"-"+missing, key, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := documented[name]; !ok && !documented.hasOther(name) {
			c.differ(what+"-undeclared", key, name)
		}
	}
}

// fieldsOf lists the names that the fields of a type have in JSON.
func fieldsOf(typ reflect.Type) map[string]bool {
	all := map[string]bool{}
	for field := range typ.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" && name != "messages" { // they stand beside the resource
			all[name] = true
		}
	}
	return all
}

// properties are what a schema names, with the other names under which package
// apiv3 may keep each.
type properties map[string][]string

func (p properties) hasOther(name string) bool {
	for _, others := range p {
		if slices.Contains(others, name) {
			return true
		}
	}
	return false
}

func (o *operation) request() properties {
	if o.RequestBody == nil || o.RequestBody.Value == nil {
		return nil
	}
	all := contentOf(o.RequestBody.Value.Content)
	if data := all["data"]; data != nil {
		return attributesOf(data) // references are parameters of the method
	}
	return namesOf(all)
}

func (o *operation) response() properties {
	for code, r := range o.Responses.Map() {
		if !strings.HasPrefix(code, "2") || r.Value == nil {
			continue
		}
		data := contentOf(r.Value.Content)["data"]
		if data == nil || data.Value == nil {
			continue
		}
		if data.Value.Items != nil {
			data = data.Value.Items
		}
		out := attributesOf(data)
		members := propertiesOf(data)
		if members["id"] != nil {
			out["id"] = nil
		}
		for name := range propertiesOf(members["references"]) {
			out[name] = []string{name + "_id"}
		}
		return out
	}
	return nil
}

func attributesOf(data *openapi3.SchemaRef) properties {
	return namesOf(propertiesOf(propertiesOf(data)["attributes"]))
}

func namesOf(schemas map[string]*openapi3.SchemaRef) properties {
	out := properties{}
	for name := range schemas {
		out[name] = nil
	}
	return out
}

func contentOf(content openapi3.Content) map[string]*openapi3.SchemaRef {
	for kind, media := range content {
		if strings.Contains(kind, "json") {
			return propertiesOf(media.Schema)
		}
	}
	return nil
}

// propertiesOf collects the properties of a schema and of those it is made of.
func propertiesOf(ref *openapi3.SchemaRef) map[string]*openapi3.SchemaRef {
	if ref == nil || ref.Value == nil {
		return nil
	}
	all := maps.Clone(ref.Value.Properties)
	for _, part := range slices.Concat(ref.Value.AllOf, ref.Value.OneOf, ref.Value.AnyOf) {
		if all == nil {
			all = map[string]*openapi3.SchemaRef{}
		}
		maps.Copy(all, propertiesOf(part))
	}
	return all
}

var clientType = reflect.TypeFor[apiv3.Client]()
