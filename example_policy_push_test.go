package circleci_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// What would a push of a directory of policies change? Then push it.
func ExamplePolicyService_PushDir() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")
	policies := fstest.MapFS{ // os.DirFS("policies")
		"version.rego":      {Data: []byte("package org\npolicy_name[\"version\"]\n")},
		"version_test.rego": {Data: []byte("package org\n")}, // left out
	}

	client := srv.Client()
	diff, err := client.Policy.PushDir(ctx, orgID, policies, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("would create", diff.Created, "and delete", diff.Deleted)
	if diff, err = client.Policy.PushDir(ctx, orgID, policies, &circleci.PushDirOptions{Apply: true}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("has created", diff.Created)
	// Output:
	// would create [version] and delete []
	// has created [version]
}
