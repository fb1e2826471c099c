package circlecitest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/circleci-go/circleci/circlecitest"
)

const config = `
version: 2.1
jobs:
  test: {docker: [{image: cimg/go:1.26}], steps: [checkout]}
  notify: {docker: [{image: cimg/base:current}], steps: [checkout]}
  deploy: {docker: [{image: cimg/base:current}], steps: [checkout]}
workflows:
  build:
    jobs:
      - test
      - notify: {requires: [test: [failed]]}
      - deploy: {requires: [test], filters: {branches: {only: main}}}
`

// Pipelines run what a real configuration says; a script says how its jobs end.
func ExampleServer_Configure() {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	if err := srv.Configure("gh/acme/web", config); err != nil {
		log.Fatal(err)
	}
	srv.Script("gh/acme/web", circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("test").Fails())))
	client, ctx := srv.Client(), context.Background()
	for _, branch := range []string{"main", "feature"} {
		id := srv.StartPipeline("gh/acme/web", branch)
		srv.Advance(time.Hour)
		workflow, err := client.Pipelines.ListWorkflows(id).Collect(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(branch, workflow[0].Status)
		for j, err := range client.Workflows.ListJobs(workflow[0].ID).All(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(" ", j.Name, j.Status)
		}
	}
	// Output:
	// main failed
	//   test failed
	//   notify success
	//   deploy not_run
	// feature failed
	//   test failed
	//   notify success
}
