// Command sdk prints the name of a project, with the SDK.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/circleci-go/circleci"
)

func main() {
	if len(os.Args) < 2 {
		return // only the time until here is measured
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	project, err := client.Projects.Get(context.Background(), circleci.ProjectSlug(os.Args[1]))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(project.Name)
}
