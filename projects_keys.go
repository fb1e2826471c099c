package circleci

import (
	"context"
	"time"

	"github.com/circleci-go/circleci/internal/encode"
)

// CheckoutKeyType is the type of a checkout key.
type CheckoutKeyType string

// The types of checkout keys. The API returns a key created as user-key with
// the type github-user-key or bitbucket-user-key.
const (
	CheckoutKeyTypeDeployKey        CheckoutKeyType = "deploy-key"
	CheckoutKeyTypeUserKey          CheckoutKeyType = "user-key"
	CheckoutKeyTypeGitHubUserKey    CheckoutKeyType = "github-user-key"
	CheckoutKeyTypeBitbucketUserKey CheckoutKeyType = "bitbucket-user-key"
)

// CheckoutKey is an SSH key that jobs use to check out code.
type CheckoutKey struct {
	Type        CheckoutKeyType `json:"type"`
	Fingerprint string          `json:"fingerprint"`
	PublicKey   string          `json:"public_key"`
	// Preferred reports whether jobs use this key.
	Preferred bool      `json:"preferred"`
	CreatedAt time.Time `json:"created_at"`
}

func (k *CheckoutKey) key() itemKey { return itemKey{name: k.Fingerprint} }

// FingerprintDigest is the digest algorithm of a fingerprint.
type FingerprintDigest string

// The digest algorithms.
const (
	FingerprintDigestMD5    FingerprintDigest = "md5" // the default
	FingerprintDigestSHA256 FingerprintDigest = "sha256"
)

// ListCheckoutKeysOptions are the options of
// [ProjectsService.ListCheckoutKeys].
type ListCheckoutKeysOptions struct {
	Digest FingerprintDigest
}

func (o *ListCheckoutKeysOptions) query(q *encode.Query) {
	if o != nil {
		q.String("digest", string(o.Digest))
	}
}

// ListCheckoutKeys lists the checkout keys of a project.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/listCheckoutKeys
//
//circleci:operation GET /project/{project-slug}/checkout-key
func (s *ProjectsService) ListCheckoutKeys(slug ProjectSlug, o *ListCheckoutKeysOptions, opts ...RequestOption) *Pager[CheckoutKey] {
	return repeatingList[CheckoutKey](s.client, get("/project/{project-slug}/checkout-key", slug).query(o).with(opts))
}

// CreateCheckoutKeyRequest describes a new checkout key, of the type deploy-key
// or user-key.
type CreateCheckoutKeyRequest struct {
	Type CheckoutKeyType `json:"type"`
}

func (r CreateCheckoutKeyRequest) check() error { return required("type", string(r.Type)) }

// CreateCheckoutKey creates a checkout key. This works only if the token's
// owner has authorized CircleCI to add keys on GitHub or Bitbucket.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createCheckoutKey
//
//circleci:operation POST /project/{project-slug}/checkout-key
func (s *ProjectsService) CreateCheckoutKey(ctx context.Context, slug ProjectSlug, in CreateCheckoutKeyRequest, opts ...RequestOption) (*CheckoutKey, error) {
	return do[CheckoutKey](ctx, s.client, post("/project/{project-slug}/checkout-key", slug).body(in).with(opts))
}

// GetCheckoutKey returns the checkout key with the given fingerprint, MD5 or
// SHA-256. If there is none, the error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getCheckoutKey
//
//circleci:operation GET /project/{project-slug}/checkout-key/{fingerprint}
func (s *ProjectsService) GetCheckoutKey(ctx context.Context, slug ProjectSlug, fingerprint string, opts ...RequestOption) (*CheckoutKey, error) {
	return do[CheckoutKey](ctx, s.client, get("/project/{project-slug}/checkout-key/{fingerprint}", slug, fingerprint).with(opts))
}

// DeleteCheckoutKey deletes the checkout key with the given fingerprint, MD5 or
// SHA-256.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/deleteCheckoutKey
//
//circleci:operation DELETE /project/{project-slug}/checkout-key/{fingerprint}
func (s *ProjectsService) DeleteCheckoutKey(ctx context.Context, slug ProjectSlug, fingerprint string, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/project/{project-slug}/checkout-key/{fingerprint}", slug, fingerprint).with(opts))
}
