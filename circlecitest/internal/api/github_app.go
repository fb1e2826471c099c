package api

import (
	"net/http"
	"strconv"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// installationID is GitHub's ID of the App's installation, for every
// organization that has a repository.
const installationID = 48129

var githubAppHandlers = map[string]exchange.Handler{
	"GET /github-app/organization/{org_id}/installation": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		o := s.OrgByID(r.Params["org_id"])
		if o == nil || len(s.RepositoriesOf(o)) == 0 {
			return exchange.NotFound("Installation")
		}
		return exchange.OK(form.Object{"id": installationID, "target_type": "Organization", "login": o.Name, "repository_selection": "all"})
	},
	"GET /github-app/organization/{org_id}/repositories": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		all := []world.Repository{}
		if o := s.OrgByID(r.Params["org_id"]); o != nil {
			all = s.RepositoriesOf(o)
		}
		number, limit := 1, mostRepositories
		for name, n := range map[string]*int{"page": &number, "limit": &limit} {
			if text := r.Query.Get(name); text != "" {
				var err error
				if *n, err = strconv.Atoi(text); err != nil || *n < 1 || name == "limit" && *n > mostRepositories {
					return exchange.Message(http.StatusBadRequest, "circlecitest: "+name+" is out of range")
				}
			}
		}
		begin := min((number-1)*limit, len(all))
		items := []any{}
		for _, x := range all[begin:min(begin+limit, len(all))] {
			items = append(items, form.Object{
				"id": x.ID, "repo_full_name": x.FullName(), "repo_name": x.Project.Name, "owner": x.Project.Org.Name,
				"default_branch": x.Project.DefaultBranch, "private": true,
			})
		}
		return exchange.OK(form.Object{"items": items, "total_count": len(all)})
	},
}
