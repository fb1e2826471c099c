package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/circleci-go/circleci"
)

// The headers of a webhook.
const (
	// SignatureHeader holds the signature that [Verify] checks.
	SignatureHeader = "Circleci-Signature"
	// EventTypeHeader holds the type of the event, which is also in the body.
	EventTypeHeader = "Circleci-Event-Type"
)

// The errors of [Verify].
var (
	// ErrNoSecret means that no secret, or an empty secret, was given.
	ErrNoSecret = errors.New("webhook: no signing secret is given, or an empty one")
	// ErrNoSignature means that the header is missing, or has no signature of a
	// supported version.
	ErrNoSignature = errors.New("webhook: there is no v1 signature: does the webhook have a signing secret?")
	// ErrBadSignature means that the body was not signed with any of the
	// secrets.
	ErrBadSignature = errors.New("webhook: no configured secret matches the signature")
)

// mostSignatures is how many signatures of a header are checked.
const mostSignatures = 16

// Verify checks that the body was signed with one of the secrets. The body must
// be unmodified. The header is the value of Circleci-Signature, such as
// "v1=4fcc06…"; only its signatures of version 1 count. To rotate a secret,
// pass the old and the new one. The check takes constant time with respect to
// the secrets and the signature.
func Verify(body []byte, header string, secrets ...circleci.Secret) error {
	given := signatures(header)
	valid := 0
	for _, secret := range secrets {
		if secret == "" {
			return ErrNoSecret // anyone can sign with an empty secret
		}
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, signature := range given {
			if hmac.Equal(signature, want) {
				valid++
			}
		}
	}
	switch {
	case len(secrets) == 0:
		return ErrNoSecret
	case len(given) == 0:
		return ErrNoSignature
	case valid == 0:
		return ErrBadSignature
	}
	return nil
}

// Sign returns the header with which CircleCI signs a body. Use it in your own
// tests.
func Sign(body []byte, secret circleci.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// signatures returns the signatures of version 1 in a header.
func signatures(header string) (all [][]byte) {
	for part := range strings.SplitSeq(header, ",") {
		version, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		if version != "v1" || len(text) != 2*sha256.Size || len(all) == mostSignatures {
			continue
		}
		if signature, err := hex.DecodeString(text); err == nil {
			all = append(all, signature)
		}
	}
	return all
}
