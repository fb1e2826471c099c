package world

import (
	"time"

	"github.com/google/uuid"
)

// Context is a context with its variables.
type Context struct {
	ID           uuid.UUID
	Name         string
	Org          *Org
	Created      time.Time
	Vars         []*ContextVar
	Restrictions []*Restriction
}

// ContextVar is a variable of a context.
type ContextVar struct {
	Name, Value      string
	Created, Updated time.Time
}

// Restriction limits who can use a context.
type Restriction struct {
	ID                uuid.UUID
	Kind, Value, Name string
}

// AddContext adds a context to an organization.
func (s *World) AddContext(o *Org, name string) *Context {
	c := &Context{ID: s.NewID(), Name: name, Org: o, Created: s.Now()}
	s.Contexts = append(s.Contexts, c)
	return c
}
