package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

func ExampleHandler() {
	secret := circleci.Secret("hunter123")
	handler := webhook.Handler([]circleci.Secret{secret}, func(_ context.Context, e webhook.Event) error {
		switch e := e.(type) {
		case *webhook.WorkflowCompleted:
			fmt.Println(e.Project.Slug, e.Workflow.Name, e.Workflow.Status)
		case *webhook.JobCompleted:
			fmt.Println(e.Project.Slug, e.Job.Name, e.Job.Status)
		}
		return nil
	})

	// What CircleCI does:
	body := `{"id":"1","type":"workflow-completed","project":{"slug":"github/acme/web"},"workflow":{"name":"build","status":"failed"}}`
	request := httptest.NewRequest(http.MethodPost, "/circleci", strings.NewReader(body))
	request.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(body), secret))
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code)
	// Output:
	// gh/acme/web build failed
	// 200
}
