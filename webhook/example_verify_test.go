package webhook_test

import (
	"errors"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

// Where requests come in another way than by net/http, from a queue for
// instance: check the body as it came, and read it then. While the secret is
// rotated, both the new and the old one are good.
func ExampleVerify() {
	secrets := []circleci.Secret{"the-new-one", "the-old-one"}
	body := []byte(`{"id":"1","type":"workflow-completed","workflow":{"name":"build","status":"failed"}}`)
	header := webhook.Sign(body, "the-old-one") // as CircleCI does

	if err := webhook.Verify(body, header, secrets...); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("genuine")

	forged := []byte(`{"id":"1","type":"workflow-completed","workflow":{"name":"build","status":"success"}}`)
	err := webhook.Verify(forged, header, secrets...)
	fmt.Println("forged:", errors.Is(err, webhook.ErrBadSignature))
	// Output:
	// genuine
	// forged: true
}

// An event is of the type that its body names.
func ExampleParse() {
	event, err := webhook.Parse([]byte(`{
		"id": "1", "type": "job-completed", "happened_at": "2026-03-02T10:00:00Z",
		"project": {"slug": "github/acme/web"},
		"job": {"name": "test", "number": 7, "status": "failed"},
		"pipeline": {"number": 12, "vcs": {"branch": "main"}}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	switch e := event.(type) {
	case *webhook.JobCompleted:
		fmt.Println(e.Project.Slug, e.Job.Name, e.Job.Status, e.Pipeline.VCS.Branch) // VCS is nil for GitHub App projects
	case *webhook.WorkflowCompleted:
		fmt.Println(e.Project.Slug, e.Workflow.Name, e.Workflow.Status)
	case *webhook.Unknown:
		fmt.Println("an event of the type", e.Type)
	}
	// Output: gh/acme/web test failed main
}
