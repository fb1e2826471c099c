package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExampleOIDCService_UpdateOrgClaims() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	org := srv.AddOrg("gh/acme")

	claims, err := client.OIDC.UpdateOrgClaims(ctx, org, circleci.UpdateOIDCClaimsRequest{
		Audience: circleci.Some([]string{"sts.amazonaws.com"}),
		TTL:      circleci.Some(circleci.Duration(90 * time.Minute)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Audience, claims.TTL)

	// Back to the default lifetime.
	claims, err = client.OIDC.DeleteOrgClaims(ctx, org, []circleci.OIDCClaim{circleci.OIDCClaimTTL})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Audience, claims.TTL == 0)
	// Output:
	// [sts.amazonaws.com] 1h30m0s
	// [sts.amazonaws.com] true
}
