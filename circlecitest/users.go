package circlecitest

import (
	"maps"

	"github.com/google/uuid"
)

type user struct {
	id          uuid.UUID
	login, name string
}

// AddUser adds a user and returns the user's ID. The owner of the token is
// there from the beginning.
func (s *Server) AddUser(login, name string) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addUser(login, name).id
}

func (s *Server) addUser(login, name string) *user {
	u := &user{id: s.newID(), login: login, name: name}
	s.world.users[u.id] = u
	return u
}

func (u *user) view() object {
	return object{"id": u.id, "login": u.login, "name": u.name, "avatar_url": nil}
}

var userHandlers = map[string]handler{
	"GET /me": func(s *Server, _ *request) *answer { return ok(s.world.me.view()) },
	"GET /user/{id}": func(s *Server, r *request) *answer {
		if u := s.world.users[r.id("id")]; u != nil {
			return ok(u.view())
		}
		return notFound("User")
	},
	"GET /me/collaborations": func(s *Server, _ *request) *answer {
		all := make([]any, 0, len(s.world.orgs))
		for _, o := range s.world.orgs {
			all = append(all, object{"id": o.id, "vcs_type": o.vcsType, "name": o.name, "slug": o.slug, "avatar_url": "https://avatars.example/" + o.name})
		}
		return ok(all)
	},
}

// handlers are all there are.
var handlers = merged(
	userHandlers, projectHandlers, contextHandlers, pipelineHandlers, workflowHandlers, jobHandlers, stepHandlers,
	webhookHandlers, scheduleHandlers, deployHandlers, otelHandlers, usageHandlers, insightsHandlers,
	organizationHandlers, groupHandlers, pipelineDefinitionHandlers, triggerHandlers, policyHandlers, oidcHandlers,
	undocumentedPipelineHandlers,
)

func merged(all ...map[string]handler) map[string]handler {
	out := map[string]handler{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}
