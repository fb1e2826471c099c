package world

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// signing is what iOS builds are signed with.
type signing struct {
	Certificates []*Certificate
	Configs      []*SigningConfig
}

// Certificate is a certificate of an organization.
type Certificate struct {
	ID             uuid.UUID
	Org            *Org
	FileName, Blob string
}

// SigningConfig combines a certificate with provisioning profiles.
type SigningConfig struct {
	ID          uuid.UUID
	Name        string
	Certificate *Certificate
	Profiles    []SigningProfile
}

// SigningProfile is a provisioning profile.
type SigningProfile struct {
	ID       uuid.UUID
	FileName string
}

// CertificateBy finds a certificate by its ID; nil if there is none.
func (s *World) CertificateBy(id uuid.UUID) *Certificate {
	if i := slices.IndexFunc(s.Signing.Certificates, func(c *Certificate) bool { return c.ID == id }); i >= 0 {
		return s.Signing.Certificates[i]
	}
	return nil
}

// AuditConfig says where the audit log of an organization is written to.
type AuditConfig struct {
	ID               uuid.UUID
	Org              *Org
	By               *User
	TargetType       string
	Disabled         bool
	Config           map[string]any
	Purpose          string
	Created, Updated time.Time
}

// AuditConfigBy finds a configuration by its ID; nil if there is none.
func (s *World) AuditConfigBy(id uuid.UUID) *AuditConfig {
	if i := slices.IndexFunc(s.AuditConfigs, func(c *AuditConfig) bool { return c.ID == id }); i >= 0 {
		return s.AuditConfigs[i]
	}
	return nil
}

// Repository is a repository at GitHub that CircleCI may see.
type Repository struct {
	ID      int64
	Project *Project
}

// RepositoriesOf are those of an organization: one for each of its projects.
func (s *World) RepositoriesOf(o *Org) (all []Repository) {
	for i, p := range s.Projects {
		if p.Org == o {
			all = append(all, Repository{705400000 + int64(i), p})
		}
	}
	return all
}

// FullName is the name with its owner.
func (x Repository) FullName() string { return x.Project.Org.Name + "/" + x.Project.Name }
