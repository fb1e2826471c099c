package oidctoken

import (
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
)

// Claims are the claims of a job's token.
type Claims struct {
	// Subject is org/<ID>/project/<ID>/user/<ID>. In tokens of version 2 the
	// repository and the branch or tag follow.
	Subject  string
	Issuer   string
	Audience []string

	IssuedAt, ExpiresAt time.Time

	OrgID                uuid.UUID
	ProjectID            uuid.UUID
	PipelineID           uuid.UUID
	PipelineDefinitionID uuid.UUID
	WorkflowID           uuid.UUID
	JobID                uuid.UUID
	// UserID identifies the user who started the pipeline.
	UserID uuid.UUID
	// ContextIDs are the contexts that the job uses.
	ContextIDs []uuid.UUID
	// SSHRerun is true if the job was rerun with SSH, so a person may be logged
	// in to it.
	SSHRerun bool
	// VCSOrigin is the repository, without a scheme: github.com/acme/web. If a
	// fork is built, it is the fork. It is empty for pipelines that a custom
	// webhook started.
	VCSOrigin string
	// VCSRef is the branch or tag: refs/heads/main.
	VCSRef string
	// VCSSHA is the commit. Older tokens do not have it.
	VCSSHA string

	// All holds all claims, decoded as encoding/json does.
	All map[string]any

	notBefore time.Time
}

// rawClaims are the claims that the OpenID Connect library does not decode.
type rawClaims struct {
	OrgID                uuid.UUID   `json:"oidc.circleci.com/org-id"`
	ProjectID            uuid.UUID   `json:"oidc.circleci.com/project-id"`
	PipelineID           uuid.UUID   `json:"oidc.circleci.com/pipeline-id"`
	PipelineDefinitionID uuid.UUID   `json:"oidc.circleci.com/pipeline-definition-id"`
	WorkflowID           uuid.UUID   `json:"oidc.circleci.com/workflow-id"`
	JobID                uuid.UUID   `json:"oidc.circleci.com/job-id"`
	ContextIDs           []uuid.UUID `json:"oidc.circleci.com/context-ids"`
	SSHRerun             bool        `json:"oidc.circleci.com/ssh-rerun"`
	VCSOrigin            string      `json:"oidc.circleci.com/vcs-origin"`
	VCSRef               string      `json:"oidc.circleci.com/vcs-ref"`
	VCSSHA               string      `json:"oidc.circleci.com/vcs-sha"`
	NotBefore            float64     `json:"nbf"` // Unix seconds
}

func claimsOf(token *oidc.IDToken) (*Claims, error) {
	var raw rawClaims
	if err := token.Claims(&raw); err != nil {
		return nil, fmt.Errorf("its claims cannot be read: %w", err)
	}
	c := &Claims{
		Subject: token.Subject, Issuer: token.Issuer, Audience: token.Audience, IssuedAt: token.IssuedAt, ExpiresAt: token.Expiry,
		OrgID: raw.OrgID, ProjectID: raw.ProjectID, PipelineID: raw.PipelineID, PipelineDefinitionID: raw.PipelineDefinitionID,
		WorkflowID: raw.WorkflowID, JobID: raw.JobID, ContextIDs: raw.ContextIDs, SSHRerun: raw.SSHRerun,
		VCSOrigin: raw.VCSOrigin, VCSRef: raw.VCSRef, VCSSHA: raw.VCSSHA,
	}
	if raw.NotBefore != 0 {
		c.notBefore = time.Unix(int64(raw.NotBefore), 0)
	}
	if err := token.Claims(&c.All); err != nil {
		return nil, fmt.Errorf("its claims cannot be read: %w", err)
	}
	org, project, user := subjectIDs(token.Subject)
	if c.OrgID == uuid.Nil { // the oldest tokens have it only in the subject
		c.OrgID = org
	}
	if c.ProjectID == uuid.Nil {
		c.ProjectID = project
	}
	c.UserID = user
	if org != c.OrgID || project != c.ProjectID {
		return nil, fmt.Errorf("its subject %q names another organization or project than its claims", token.Subject)
	}
	return c, nil
}

// subjectIDs returns the IDs in a subject; those that are missing are zero.
func subjectIDs(subject string) (org, project, user uuid.UUID) {
	ids := map[string]*uuid.UUID{"org": &org, "project": &project, "user": &user}
	parts := strings.Split(subject, "/")
	for i := 0; i+1 < len(parts) && i < 2*len(ids); i += 2 {
		if id := ids[parts[i]]; id != nil {
			*id, _ = uuid.Parse(parts[i+1]) // no organization or project has the zero ID
		}
	}
	return org, project, user
}
