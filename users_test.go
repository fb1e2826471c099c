package circleci_test

import (
	"context"

	"github.com/circleci-go/circleci"
)

var userTests = []operationTest{
	{
		op:   "GET /me",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Users.Me(ctx)) },
		path: "/me", fixture: "users/getCurrentUser",
	},
	{
		op:   "GET /user/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Users.Get(ctx, id1)) },
		path: "/user/11111111-1111-4111-8111-111111111111", fixture: "users/getUser",
	},
	{
		op: "GET /me/collaborations",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Users.ListCollaborations())
		},
		path: "/me/collaborations", fixture: "users/getCollaborations",
	},
}
