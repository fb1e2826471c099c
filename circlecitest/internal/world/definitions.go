package world

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Definition is a pipeline definition.
type Definition struct {
	ID                uuid.UUID
	Name, Description string
	Created           time.Time // zero for one that the API has not created
	Config, Checkout  Source
	Triggers          []*Trigger
}

// Source is the origin of a configuration, a checkout or an event.
type Source struct {
	Provider, ExternalID, FilePath string
}

// DefinitionBy returns the definition with an ID, or nil.
func (p *Project) DefinitionBy(id uuid.UUID) *Definition {
	if i := slices.IndexFunc(p.Definitions, func(d *Definition) bool { return d.ID == id }); i >= 0 {
		return p.Definitions[i]
	}
	return nil
}

// Trigger is a trigger of a pipeline definition.
type Trigger struct {
	ID                             uuid.UUID
	Source                         Source
	Sender, Secret                 string // of a custom webhook
	Cron                           string // of a schedule
	Actor                          *User
	Preset, CheckoutRef, ConfigRef string
	EventName                      string
	Disabled                       *bool // nil: not said
	Parameters                     map[string]any
	Created                        time.Time
	Winding                        int // counts the changes, as of a schedule
}
