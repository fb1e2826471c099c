// Package form formats values as the API does: objects, times, and null or
// omitted values.
package form

import (
	"time"

	"github.com/google/uuid"
)

// Micros returns a time in the format of the definitions and triggers service;
// nil for the zero time.
func Micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// Object is a JSON object.
type Object map[string]any

// Time returns a time in the API's format; null for the zero time.
func Time(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Nullable returns v, or null if v is zero.
func Nullable[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// Put sets a key unless its value is zero; the API omits it then.
func (o Object) Put(key string, value any) Object {
	switch v := value.(type) {
	case string:
		if v == "" {
			return o
		}
	case uuid.UUID:
		if v == uuid.Nil {
			return o
		}
	case int64:
		if v == 0 {
			return o
		}
	case time.Time:
		if v.IsZero() {
			return o
		}
		value = Time(v)
	case nil:
		return o
	}
	o[key] = value
	return o
}
