package main

import (
	"maps"
	"slices"
)

// meetings are what the document and the package have put in the same places.
type meetings struct {
	declared map[string]bool // values of the document
	sent     map[string]bool // values of the package; for an enumeration, those of its type
}

func newMeetings() *meetings {
	return &meetings{declared: map[string]bool{}, sent: map[string]bool{}}
}

// meet compares a text of the package's with the values that the document has
// for its place. A marker stands for all constants of a type, to be compared in
// the end with what the document has in all places of that type; another text
// comes from a constructor.
func (c *comparison) meet(at place, where string, v any) {
	text, ok := v.(string)
	values := at.enum()
	if !ok || len(values) == 0 {
		return
	}
	name, isMarker := markedBy(text)
	switch {
	case text == plainText:
		c.differ("enum-untyped", where)
		return
	case isMarker:
		where = name
	}
	m := c.meetings[where]
	if m == nil {
		m = newMeetings()
		c.meetings[where] = m
	}
	if isMarker {
		for _, constant := range c.src.enums[name] {
			m.sent[constant] = true
		}
	} else {
		m.sent[text] = true
	}
	for _, value := range values {
		m.declared[value] = true
	}
}

// enumerations compares what has met.
func (c *comparison) enumerations() {
	for where, m := range c.meetings {
		for _, value := range slices.Sorted(maps.Keys(m.declared)) {
			if !m.sent[value] {
				c.differ("enum-missing", where, value)
			}
		}
		for _, value := range slices.Sorted(maps.Keys(m.sent)) {
			if !m.declared[value] {
				c.differ("enum-undeclared", where, value)
			}
		}
	}
}
