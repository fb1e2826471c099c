package world

import (
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// Webhook is an outbound webhook of a project.
type Webhook struct {
	ID               uuid.UUID
	Project          *Project
	Name, URL        string
	Events           []circleci.WebhookEvent
	VerifyTLS        bool
	Secret           string
	Created, Updated time.Time
}

// WebhooksOf returns the webhooks of a project.
func (s *World) WebhooksOf(projectID uuid.UUID) (all []*Webhook) {
	for _, h := range s.Webhooks {
		if h.Project.ID == projectID {
			all = append(all, h)
		}
	}
	return all
}
