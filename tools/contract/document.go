package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// operation is an operation of the document.
type operation struct {
	key    string // "GET /context/{context_id}"
	method string
	path   string
	item   *openapi3.PathItem
	*openapi3.Operation
}

func load(file string) (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	mend(doc)
	return doc, nil
}

// operationsOf lists the operations of a document, by path and method.
func operationsOf(doc *openapi3.T) []*operation {
	var all []*operation
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		operations := paths[path].Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			all = append(all, &operation{
				key: method + " " + path, method: method, path: path, item: paths[path], Operation: operations[method],
			})
		}
	}
	return all
}

// query returns the parameters of the query.
func (op *operation) query() []*openapi3.Parameter {
	var all []*openapi3.Parameter
	for _, p := range slices.Concat(op.item.Parameters, op.Parameters) {
		if p.Value.In == openapi3.ParameterInQuery {
			all = append(all, p.Value)
		}
	}
	return all
}

// body returns the schema of the request's body; nil if there is none.
func (op *operation) body() *openapi3.SchemaRef {
	if op.RequestBody == nil || op.RequestBody.Value == nil {
		return nil
	}
	return schemaOf(op.RequestBody.Value.Content)
}

// response is an answer of success.
type response struct {
	status int
	schema *openapi3.SchemaRef // nil: without a body
}

func (op *operation) successes() []response {
	var all []response
	answers := op.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(answers)) {
		if status, err := strconv.Atoi(code); err == nil && status/100 == 2 {
			all = append(all, response{status, schemaOf(answers[code].Value.Content)})
		}
	}
	return all
}

// bodies returns the schemas of all bodies.
func (op *operation) bodies() []*openapi3.SchemaRef {
	all := []*openapi3.SchemaRef{op.body()}
	for _, answer := range op.Responses.Map() {
		all = append(all, schemaOf(answer.Value.Content))
	}
	return all
}

func schemaOf(content openapi3.Content) *openapi3.SchemaRef {
	for kind, media := range content {
		if strings.HasPrefix(kind, "application/json") {
			return media.Schema
		}
	}
	return nil
}
