package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Walk over a list; pages are fetched as they are needed, and none after the
// loop has been broken off.
func ExamplePager_All() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	for range 25 {
		srv.StartPipeline("gh/acme/web", "main")
	}

	client := srv.Client()
	for p, err := range client.Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if p.Number == 22 {
			break // the rest is older
		}
		fmt.Println(p.Number, p.VCS.Branch)
	}
	fmt.Println(len(srv.Requests()), "request")
	// Output:
	// 25 main
	// 24 main
	// 23 main
	// 1 request
}

// Walk page by page, for instance to stop somewhere and go on later.
func ExamplePager_Pages() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	for range 45 {
		srv.StartPipeline("gh/acme/web", "main")
	}

	client := srv.Client()
	pipelines := client.Pipelines.ListForProject("gh/acme/web", nil)
	for page, err := range pipelines.Pages(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(len(page.Items), "items, is there more?", page.NextPageToken != "")
	}
	// Output:
	// 20 items, is there more? true
	// 20 items, is there more? true
	// 5 items, is there more? false
}

// A list as a slice.
func ExamplePager_Collect() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddContext("gh/acme", "staging", nil)
	srv.AddContext("gh/acme", "production", nil)

	client := srv.Client()
	contexts, err := client.Contexts.List(circleci.OwnerBySlug("gh/acme"), nil).Collect(ctx)
	if err != nil {
		fmt.Println(err) // contexts holds what came before it
		return
	}
	for _, c := range contexts {
		fmt.Println(c.Name)
	}
	// Output:
	// staging
	// production
}

// Where each item takes time, fetch the next page meanwhile.
func ExamplePager_Prefetch() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	for range 30 {
		srv.StartPipeline("gh/acme/web", "main")
	}

	client := srv.Client()
	count := 0
	for p, err := range client.Pipelines.ListForProject("gh/acme/web", nil).Prefetch().All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := client.Pipelines.GetConfig(ctx, p.ID); err != nil {
			fmt.Println(err)
			return
		}
		count++
	}
	fmt.Println(count, "configurations")
	// Output: 30 configurations
}
