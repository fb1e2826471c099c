package circlecitest

import (
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type org struct {
	id                  uuid.UUID
	slug, name, vcsType string
}

var vcsTypes = map[string]string{"gh": "github", "bb": "bitbucket"}

// AddOrg adds an organization, if there is none with this slug, and returns
// its ID.
func (s *Server) AddOrg(slug circleci.OrgSlug) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addOrg(string(slug)).id
}

func (s *Server) addOrg(slug string) *org {
	slug = shortSlug(slug)
	for _, o := range s.world.orgs {
		if o.slug == slug {
			return o
		}
	}
	provider, name, _ := strings.Cut(slug, "/")
	o := &org{id: s.newID(), slug: slug, name: name, vcsType: vcsTypes[provider]}
	if o.vcsType == "" {
		o.vcsType = "circleci"
	}
	s.world.orgs = append(s.world.orgs, o)
	return o
}

// orgBy finds an organization by its ID or slug; nil if there is none.
func (s *Server) orgBy(ref string) *org {
	for _, o := range s.world.orgs {
		if o.slug == shortSlug(ref) || o.id.String() == ref {
			return o
		}
	}
	return nil
}
