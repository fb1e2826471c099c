package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/circleci-go/circleci/internal/spec"
)

// comparison holds the package against a document.
type comparison struct {
	src    *source
	driver *driver
	found  map[string]bool // the differences, a line each
	// meetings are by enumeration, or by place.
	meetings map[string]*meetings
	// fields are those of results, with whether the document has any of them.
	fields map[string]bool
	// absent are the places where the document lacks one, with the field.
	absent map[string]string
}

// differ notes a difference: its kind, what it is about, and where.
func (c *comparison) differ(kind string, about ...string) {
	c.found[strings.TrimSpace(kind+" "+strings.Join(about, " "))] = true
}

// compare returns all differences, sorted.
func compare(doc *openapi3.T, src *source) ([]string, error) {
	d, err := newDriver(src)
	if err != nil {
		return nil, err
	}
	c := &comparison{
		src: src, driver: d, found: map[string]bool{}, meetings: map[string]*meetings{},
		fields: map[string]bool{}, absent: map[string]string{},
	}
	for _, name := range src.missingConstructors() {
		c.differ("tool-constructor", name)
	}
	methods := map[string][]*method{}
	for _, m := range src.methods {
		methods[m.key] = append(methods[m.key], m)
	}
	operations := operationsOf(doc)
	c.routes(operations, methods)
	for _, op := range operations {
		if len(methods[op.key]) > 0 {
			c.operation(op, methods[op.key])
		}
	}
	c.enumerations()
	for field, declared := range c.fields {
		if !declared {
			c.differ("response-undeclared", field)
		}
	}
	for where, field := range c.absent {
		if c.fields[field] {
			c.differ("response-absent", where)
		}
	}
	return slices.Sorted(maps.Keys(c.found)), nil
}

// routes compares operations and methods, and both with the pinned list.
func (c *comparison) routes(operations []*operation, methods map[string][]*method) {
	documented := map[string]bool{}
	pinned := map[string]spec.Operation{}
	for _, op := range spec.Operations {
		pinned[op.Method+" "+op.Path] = op
	}
	for _, op := range operations {
		documented[op.key] = true
		if len(methods[op.key]) == 0 {
			c.differ("route-unserved", op.key, op.OperationID)
		}
		var query, required []string
		for _, p := range op.query() {
			query = append(query, p.Name)
			if p.Required {
				required = append(required, p.Name)
			}
		}
		slices.Sort(query)
		slices.Sort(required)
		if pin := pinned[op.key]; pin.ID != op.OperationID || !slices.Equal(pin.Query, query) || !slices.Equal(pin.Required, required) {
			c.differ("route-unpinned", op.key)
		}
	}
	for _, op := range spec.Extras {
		key := op.Method + " " + op.Path
		if documented[key] {
			c.differ("route-no-extra", key)
		}
		documented[key] = true
	}
	for key := range methods {
		if !documented[key] {
			c.differ("route-undocumented", key)
		}
	}
}

// operation compares one operation with the methods that serve it.
func (c *comparison) operation(op *operation, methods []*method) {
	answers := op.successes()
	var variants []variant
	for _, m := range methods {
		status, body := sample(answers)
		all, refused, err := c.driver.variants(m, status, body)
		if err != nil {
			c.differ("tool-arguments", op.key, m.name+":", err.Error())
			continue
		}
		for _, focus := range refused {
			c.differ("call-refused", op.key, m.name, focus)
		}
		if len(all) == 0 {
			c.differ("call-refused", op.key, m.name)
			continue
		}
		variants = append(variants, all...)
		c.answers(op, m, all[0].choices, answers)
	}
	if len(variants) > 0 {
		c.query(op, variants)
		c.body(op, variants)
	}
}

// sample is an answer that any caller can read, with a further page if there
// are pages.
func sample(answers []response) (status int, body []byte) {
	if len(answers) == 0 {
		return http.StatusOK, nil
	}
	last := answers[len(answers)-1]
	if last.schema == nil {
		return last.status, nil
	}
	return last.status, encode((&generator{flavor: full}).values(last.schema, "")[0])
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was made here
	}
	return data
}

// query compares the names of the query.
func (c *comparison) query(op *operation, variants []variant) {
	declared := map[string]*openapi3.Parameter{}
	for _, p := range op.query() {
		declared[p.Name] = p
	}
	sendable := map[string]bool{}
	for _, v := range variants {
		for _, s := range v.sent {
			for name, values := range s.query {
				sendable[name] = true
				if p := declared[name]; p != nil {
					c.meet(placeOf(p.Schema), op.key+" "+name, values[0])
					c.validateQuery(op, p, values)
				} else {
					c.differ("query-undeclared", op.key, name)
				}
			}
			for name, p := range declared {
				if p.Required && !s.query.Has(name) {
					c.differ("query-optional", op.key, name)
				}
			}
		}
	}
	for name := range declared {
		if !sendable[name] {
			c.differ("query-unsendable", op.key, name)
		}
	}
}

// validateQuery holds the values of a parameter against its schema.
func (c *comparison) validateQuery(op *operation, p *openapi3.Parameter, values []string) {
	if p.Schema == nil {
		return
	}
	s := p.Schema.Value
	isList := s.Type.Is(openapi3.TypeArray)
	if isList != (len(values) > 1) && !s.Type.Is(openapi3.TypeObject) {
		c.differ("query-invalid", op.key, p.Name+": one value, where several are due, or the reverse")
		return
	}
	sent := c.queryValue(s, values[0])
	if isList {
		sent = []any{c.queryValue(s.Items.Value, values[0]), c.queryValue(s.Items.Value, values[1])}
	}
	for _, e := range schemaErrors(s.VisitJSON(sent, openapi3.MultiErrors())) {
		if e.SchemaField != "enum" { // those are found by name
			c.differ("query-invalid", op.key, p.Name+": "+lineOf(e))
		}
	}
}

// queryValue is what a text of the query stands for.
func (c *comparison) queryValue(s *openapi3.Schema, text string) any {
	text = c.src.unmarked(text)
	var v any
	if s.Type.Is(openapi3.TypeString) || json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// body compares the properties of the request's body.
func (c *comparison) body(op *operation, variants []variant) {
	schema := op.body()
	sendable, absent := map[string]bool{}, map[string]bool{}
	for _, v := range variants {
		body := v.sent[0].body
		switch {
		case schema == nil && body != nil:
			c.differ("request-undeclared", op.key, "a body")
			return
		case schema == nil:
			continue
		case body == nil:
			c.differ("request-unsendable", op.key, "a body")
			return
		}
		var sent any
		if err := json.Unmarshal(body, &sent); err != nil {
			panic(err) // the package writes JSON
		}
		placeOf(schema).walk(sent, "", exact, func(path string, at place, v any) {
			sendable[path] = true
			if object, ok := v.(map[string]any); ok {
				for _, name := range at.properties() {
					if _, ok := object[name]; !ok {
						absent[join(path, name)] = true
					}
				}
			}
			c.meet(at, op.key+" "+path, v)
		}, func(path string) { c.differ("request-undeclared", op.key, path) })
		c.validate(op, schema, body)
	}
	if schema == nil {
		return
	}
	placeOf(schema).visit("", func(path string, parent, _ place, name string) {
		above := strings.TrimSuffix(strings.TrimSuffix(path, name), ".")
		switch {
		case !sendable[path] && sendable[above]:
			c.differ("request-unsendable", op.key, path)
		case sendable[path] && !absent[path] && !parent.requires(name) && (above == "" || len(parent.properties()) > 1):
			c.differ("request-always", op.key, path)
		}
	})
}

// validate holds a body as a whole against its schema.
func (c *comparison) validate(op *operation, schema *openapi3.SchemaRef, body []byte) {
	var sent any
	if err := json.Unmarshal([]byte(c.src.unmarked(string(body))), &sent); err != nil {
		panic(err) // as above
	}
	err := schema.Value.VisitJSON(sent, openapi3.MultiErrors(), openapi3.VisitAsRequest())
	for _, e := range schemaErrors(err) {
		if e.SchemaField != "properties" && e.SchemaField != "enum" { // those are found by name
			c.differ("request-invalid", op.key, lineOf(e))
		}
	}
}

// lacksID reports whether an answer was refused because it has no ID of what the
// call has created. Such an answer is an error whatever the schema says.
func lacksID(f flavor, err error) bool {
	return (f == sparse || f == bare) && err != nil && strings.Contains(err.Error(), "no valid ID")
}

// answers compares the answers with what the method makes of them.
func (c *comparison) answers(op *operation, m *method, choices map[string]int, answers []response) {
	var schemas []*openapi3.SchemaRef
	for _, answer := range answers {
		if answer.schema == nil {
			continue
		}
		schemas = append(schemas, answer.schema)
		results := map[flavor][]any{}
		for _, flavor := range []flavor{full, sparse, nulls, zeros, bare, unexpected} {
			for _, v := range (&generator{flavor: flavor}).values(answer.schema, "") {
				result, _, err := c.driver.call(m, choices, answer.status, encode(v))
				if lacksID(flavor, err) {
					continue
				}
				if err != nil {
					c.differ("response-refused", op.key, strconv.Itoa(answer.status), string(flavor)+":", err.Error())
					continue
				}
				results[flavor] = append(results[flavor], result)
				if flavor == full {
					c.lost(op, m, v, result)
				}
			}
		}
		c.nullLost(op, answer, results)
	}
	switch t, at, path := resultOf(m, placeOf(schemas...)); {
	case t == nil:
	case len(at) == 0:
		c.differ("response-undeclared", op.key, "a body")
	default:
		c.result(t, at, op.key, path)
	}
}
