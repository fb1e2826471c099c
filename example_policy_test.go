package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExamplePolicyService_Decide() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	org := srv.AddOrg("gh/acme")

	// The upload replaces all policies of the organization.
	diff, err := client.Policy.CreateBundle(ctx, org, circleci.CreatePolicyBundleRequest{Policies: map[string]string{
		"version.rego": `
			package org
			policy_name["version"]
			enable_hard["check_version"]
			check_version = "version must be 2.1" { input.version != 2.1 }
		`,
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("created:", diff.Created)

	// In a test the decision is what the test says, or that of a policy engine:
	// see package circlecitest/opa.
	srv.SetPolicyDecisions("gh/acme", circleci.Decision{
		Status:       circleci.DecisionStatusHardFail,
		HardFailures: []circleci.Violation{{Rule: "check_version", Reason: "version must be 2.1"}},
	})
	decision, err := client.Policy.Decide(ctx, org, circleci.DecideRequest{Input: "version: 2.0\njobs: {}\n"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision.Status)
	for _, v := range decision.HardFailures {
		fmt.Printf("%s: %s\n", v.Rule, v.Reason)
	}
	// Output:
	// created: [version]
	// HARD_FAIL
	// check_version: version must be 2.1
}
