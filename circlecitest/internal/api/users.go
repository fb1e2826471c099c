package api

import (
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func userView(u *world.User) form.Object {
	return form.Object{"id": u.ID, "login": u.Login, "name": u.Name, "avatar_url": nil}
}

var userHandlers = map[string]exchange.Handler{
	"GET /me": func(s *engine.Engine, _ *exchange.Request) *exchange.Answer { return exchange.OK(userView(s.Me)) },
	"GET /user/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if u := s.Users[r.ID("id")]; u != nil {
			return exchange.OK(userView(u))
		}
		return exchange.NotFound("User")
	},
	"GET /me/collaborations": func(s *engine.Engine, _ *exchange.Request) *exchange.Answer {
		all := make([]any, 0, len(s.Orgs))
		for _, o := range s.Orgs {
			all = append(all, form.Object{"id": o.ID, "vcs_type": o.VCSType, "name": o.Name, "slug": o.Slug, "avatar_url": "https://avatars.example/" + o.Name})
		}
		return exchange.OK(all)
	},
}
