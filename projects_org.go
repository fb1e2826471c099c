package circleci

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// OrgProject is a project in the list of an organization's projects. It has no
// slug: [ProjectsService.GetByID] returns it.
type OrgProject struct {
	ID             uuid.UUID `json:"id"`
	Name           string    `json:"name"`
	OrganizationID uuid.UUID `json:"organization_id"`
}

func (p *OrgProject) key() itemKey { return itemKey{id: p.ID} }

// orgProjectsQuery asks for a page of an organization's projects.
type orgProjectsQuery struct {
	orgID  uuid.UUID
	cursor string
}

func (q orgProjectsQuery) query(to *encode.Query) {
	to.UUID("filter[org_id]", q.orgID)
	to.String("page[cursor]", q.cursor)
}

func (q orgProjectsQuery) check() error {
	if q.orgID == uuid.Nil {
		return &ArgumentError{Name: "filter[org_id]", Reason: "is missing"}
	}
	return nil
}

// orgProjectsPage is a page in the form of the API v3.
type orgProjectsPage struct {
	Data wire.Items[orgProject] `json:"data"`
	Page struct {
		Next string `json:"next"`
	} `json:"page"`
}

func (p *orgProjectsPage) complete() error { return listed(p.Data.Found, "data") }

// orgProject is a project in the form of the API v3.
type orgProject struct {
	ID         uuid.UUID `json:"id"`
	Attributes struct {
		Name string `json:"name"`
	} `json:"attributes"`
}

// ListForOrg lists the projects of an organization.
//
// This operation is not in CircleCI's API specification of the API v2: it belongs
// to the API v3. Package apiv3 has the same list with filters.
//
// Not available on CircleCI server.
//
//circleci:operation GET /api/v3/projects
func (s *ProjectsService) ListForOrg(orgID uuid.UUID, opts ...RequestOption) *Pager[OrgProject] {
	return NewPager(func(ctx context.Context, cursor string) (*Page[OrgProject], error) {
		r := get("/api/v3/projects").query(orgProjectsQuery{orgID, cursor}).with([]RequestOption{BearerAuth()}).with(opts)
		return s.orgProjects(ctx, r, orgID)
	})
}

func (s *ProjectsService) orgProjects(ctx context.Context, r request, orgID uuid.UUID) (*Page[OrgProject], error) {
	var page Page[OrgProject]
	out, err := do[orgProjectsPage](ctx, s.client, r.with([]RequestOption{CaptureResponse(&page.Response)}))
	if err != nil {
		return nil, err
	}
	for _, p := range out.Data.List {
		page.Items = append(page.Items, OrgProject{p.ID, p.Attributes.Name, orgID})
	}
	page.NextPageToken = out.Page.Next
	return &page, nil
}
