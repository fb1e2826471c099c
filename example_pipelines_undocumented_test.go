package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExamplePipelinesService_CompileConfig() {
	srv := circlecitest.NewServer()
	defer srv.Close()

	got, err := srv.Client().Pipelines.CompileConfig(context.Background(), circleci.CompileConfigRequest{
		ConfigYAML: "version: 2.1\n",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Valid)
	for _, problem := range got.Errors {
		fmt.Println(problem.Message)
	}
	// Output:
	// false
	// the configuration has no workflows, and no job named build
}
