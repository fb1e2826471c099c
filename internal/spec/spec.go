// Package spec pins the operations of the API: method, route and the names of
// the parameters, and nothing of the document's wording. Tests hold the code
// against it.
package spec

// Operation is an operation of the API.
type Operation struct {
	ID     string // the document's operationId; ours for an extra
	Method string
	Path   string   // the route's template, letter for letter
	Query  []string // names of the parameters of the query
	// Required are those of Query that a request has to have.
	Required []string
}
