package main

import (
	"bytes"
	"fmt"
	"time"
)

// The types that one writes by hand, and what they are made of.

type page[T any] struct {
	Items         []T    `json:"items"`
	NextPageToken string `json:"next_page_token"`
}

type projectByHand struct {
	Slug             string `json:"slug"`
	Name             string `json:"name"`
	ID               string `json:"id"`
	OrganizationName string `json:"organization_name"`
	OrganizationSlug string `json:"organization_slug"`
	OrganizationID   string `json:"organization_id"`
	VCSInfo          struct {
		VCSURL        string `json:"vcs_url"`
		Provider      string `json:"provider"`
		DefaultBranch string `json:"default_branch"`
	} `json:"vcs_info"`
}

type pipelineByHand struct {
	ID     string `json:"id"`
	Errors []struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"errors"`
	ProjectSlug string    `json:"project_slug"`
	UpdatedAt   time.Time `json:"updated_at"`
	Number      int       `json:"number"`
	State       string    `json:"state"`
	CreatedAt   time.Time `json:"created_at"`
	Trigger     struct {
		Type       string    `json:"type"`
		ReceivedAt time.Time `json:"received_at"`
		Actor      struct {
			Login     string  `json:"login"`
			AvatarURL *string `json:"avatar_url"`
		} `json:"actor"`
	} `json:"trigger"`
	TriggerParameters map[string]any `json:"trigger_parameters"`
	VCS               *struct {
		ProviderName        string `json:"provider_name"`
		TargetRepositoryURL string `json:"target_repository_url"`
		Branch              string `json:"branch"`
		ReviewID            string `json:"review_id"`
		ReviewURL           string `json:"review_url"`
		Revision            string `json:"revision"`
		Tag                 string `json:"tag"`
		Commit              struct {
			Subject string `json:"subject"`
			Body    string `json:"body"`
		} `json:"commit"`
		OriginRepositoryURL string `json:"origin_repository_url"`
	} `json:"vcs"`
}

type workflowByHand struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"`
	Status         string     `json:"status"`
	PipelineID     string     `json:"pipeline_id"`
	PipelineNumber int        `json:"pipeline_number"`
	ProjectSlug    string     `json:"project_slug"`
	StartedBy      string     `json:"started_by"`
	CanceledBy     string     `json:"canceled_by"`
	ErroredBy      string     `json:"errored_by"`
	Tag            *string    `json:"tag"`
	CreatedAt      time.Time  `json:"created_at"`
	StoppedAt      *time.Time `json:"stopped_at"`
}

type jobByHand struct {
	ID                string     `json:"id"`
	Name              string     `json:"name"`
	JobNumber         int        `json:"job_number"`
	Type              string     `json:"type"`
	Status            string     `json:"status"`
	ProjectSlug       string     `json:"project_slug"`
	Dependencies      []string   `json:"dependencies"`
	ApprovalRequestID string     `json:"approval_request_id"`
	StartedAt         *time.Time `json:"started_at"`
	StoppedAt         *time.Time `json:"stopped_at"`
}

type runByHand struct {
	ID          string     `json:"id"`
	Branch      string     `json:"branch"`
	Duration    *int       `json:"duration"`
	CreatedAt   time.Time  `json:"created_at"`
	StoppedAt   *time.Time `json:"stopped_at"`
	CreditsUsed int        `json:"credits_used"`
	Status      string     `json:"status"`
	IsApproval  bool       `json:"is_approval"`
}

type variableByHand struct {
	Variable  string    `json:"variable"`
	ContextID string    `json:"context_id"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

const projectBody = `{"slug":"gh/acme/web","name":"web","id":"0a1b2c3d-c7c4-4c43-9457-de07e2029e7b","organization_name":"acme",` +
	`"organization_slug":"gh/acme","organization_id":"8e1b2c3d-c7c4-4c43-9457-de07e2029e7b",` +
	`"vcs_info":{"vcs_url":"https://github.com/acme/web","provider":"GitHub","default_branch":"main"}}`

// list makes a page of n items.
func list(n int, next string, item func(*bytes.Buffer, int)) string {
	var b bytes.Buffer
	b.WriteString(`{"next_page_token":`)
	if next == "" {
		b.WriteString("null")
	} else {
		fmt.Fprintf(&b, "%q", next)
	}
	b.WriteString(`,"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		item(&b, i)
	}
	b.WriteString("]}")
	return b.String()
}

func id(n int) string { return fmt.Sprintf("%08x-c7c4-4c43-9457-de07e2029e7b", n) }

func pipelinesPage(p int, next string) string {
	return list(20, next, func(b *bytes.Buffer, i int) {
		n := p*20 + i
		fmt.Fprintf(b, `{"id":%q,"errors":[],"project_slug":"gh/acme/web","updated_at":"2026-03-01T08:31:0%d.123Z","number":%d,`+
			`"state":"created","created_at":"2026-03-01T08:30:00.%03dZ","trigger":{"received_at":"2026-03-01T08:29:59.500Z","type":"webhook",`+
			`"actor":{"login":"developer-%d","avatar_url":"https://avatars.githubusercontent.com/u/%d?v=4"}},`+
			`"vcs":{"origin_repository_url":"https://github.com/acme/web","target_repository_url":"https://github.com/acme/web",`+
			`"revision":"%040x","provider_name":"GitHub","branch":"feature/change-%d","commit":{"body":"What was changed, and why it was changed: `+
			`the old way was slow, and by now nobody knew what it had been for.\n\nCo-authored-by: A Colleague <colleague@example.com>",`+
			`"subject":"Change number %d of the things that change"}}}`, id(n), i%10, n, i, n%7, n%7, n, n, n)
	})
}

func workflowsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"pipeline_id":%q,"id":%q,"name":"build-and-test-%d","project_slug":"gh/acme/web","status":"success","started_by":%q,`+
			`"pipeline_number":%d,"created_at":"2026-03-01T08:30:00Z","stopped_at":"2026-03-01T08:40:%02dZ","tag":null}`, id(1), id(i), i, id(7), i, i)
	})
}

func jobsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"dependencies":[%q,%q],"job_number":%d,"id":%q,"started_at":"2026-03-01T08:30:00Z","name":"job-%d",`+
			`"project_slug":"gh/acme/web","status":"success","type":"build","stopped_at":"2026-03-01T08:40:%02dZ"}`, id(1), id(2), i+1, id(i), i, i)
	})
}

func runsPage() string {
	return list(20, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"id":%q,"branch":"main","duration":%d,"created_at":"2026-03-01T08:30:00Z","stopped_at":"2026-03-01T08:40:%02dZ",`+
			`"credits_used":%d,"status":"success","is_approval":false}`, id(i), 600+i, i, i*10)
	})
}

func variablesPage() string {
	return list(100, "", func(b *bytes.Buffer, i int) {
		fmt.Fprintf(b, `{"variable":"VARIABLE_NUMBER_%d","context_id":%q,"created_at":"2026-03-01T08:30:00.123Z","updated_at":"2026-03-01T08:30:%02d.456Z"}`, i, id(3), i%60)
	})
}
