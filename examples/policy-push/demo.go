package main

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// policy is a document with one rule.
func policy(name, rule string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("package org\n\npolicy_name[\"" + name + "\"]\n\nenable_rule[\"" + rule + "\"]\n")}
}

// runDemo changes the policies of a fake CircleCI server.
func runDemo(ctx context.Context, con *cli.Console, o options) error {
	fmt.Fprintln(o.progress, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer()
	defer srv.Close()
	org := srv.AddOrg("gh/acme")
	before := fstest.MapFS{"version.rego": policy("version", "old_rule"), "legacy.rego": policy("legacy", "rule")}
	if _, err := srv.Client().Policy.PushDir(ctx, org, before, &circleci.PushDirOptions{Apply: true}); err != nil {
		return err
	}
	o.yes = true // only the fake server is changed
	after := fstest.MapFS{"version.rego": policy("version", "new_rule"), "orbs.rego": policy("orbs", "rule")}
	return push(ctx, con, srv.Client(), org, after, o)
}
