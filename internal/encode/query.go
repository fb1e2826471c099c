package encode

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime"
)

// Query builds the query of a request. Zero values are omitted, and arrays
// repeat their name, which is the only form the API knows. Copies are
// independent.
type Query struct{ text string }

// String adds name=value, both escaped.
func (q *Query) String(name, value string) {
	if value == "" {
		return
	}
	if q.text != "" {
		q.text += "&"
	}
	if isUnreserved(name) && isUnreserved(value) {
		q.text += name + "=" + value
		return
	}
	styled, err := runtime.StyleParamWithOptions("form", true, name, value,
		runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery})
	if err != nil {
		panic("encode: a string has no form: " + err.Error()) // cannot happen: every string styles
	}
	// A plus sign for a space is understood by most servers, %20 by all; a
	// literal plus sign is escaped by now.
	q.text += strings.ReplaceAll(styled, "+", "%20")
}

// Strings adds name=value for each value.
func (q *Query) Strings(name string, values []string) {
	for _, v := range values {
		q.String(name, v)
	}
}

// Bool adds name=true.
func (q *Query) Bool(name string, value bool) {
	if value {
		q.String(name, "true")
	}
}

// Int adds name=value.
func (q *Query) Int(name string, value int) {
	if value != 0 {
		q.String(name, strconv.Itoa(value))
	}
}

// UUID adds name=value.
func (q *Query) UUID(name string, value uuid.UUID) {
	if value != uuid.Nil {
		q.String(name, value.String())
	}
}

// Time adds name=value in RFC 3339, in UTC.
func (q *Query) Time(name string, value time.Time) {
	if !value.IsZero() {
		q.String(name, value.UTC().Format(time.RFC3339Nano))
	}
}

// Encode returns the query without a leading question mark.
func (q *Query) Encode() string { return q.text }
