// Package spec lists the operations of the API: method, route and parameter
// names, and none of the document's wording. Tests check the code against it.
package spec

// Operation is an operation of the API.
type Operation struct {
	ID     string // the document's operationId; ours for an extra
	Method string
	Path   string   // the route's template, letter for letter
	Query  []string // names of the parameters of the query
	// Required are the query parameters that a request must have.
	Required []string
}
