package circleci_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestASecretIsHidden(t *testing.T) {
	type holder struct {
		Name    string
		Secret  circleci.Secret
		Pointer *circleci.Secret
		List    []circleci.Secret
		Map     map[string]circleci.Secret
		Any     any
	}
	secret := circleci.Secret(canary)
	held := holder{"n", secret, &secret, []circleci.Secret{secret}, map[string]circleci.Secret{"k": secret}, secret}
	for _, v := range []any{
		secret, &secret, held, []any{held, secret}, map[string]any{"k": held}, [1]circleci.Secret{secret},
		circleci.SetEnvVarRequest{Value: secret}, "A", circleci.SetEnvVarRequest{Value: secret},
		circleci.ContinuePipelineRequest{ContinuationKey: secret}, fmt.Errorf("cannot set %v", secret),
	} {
		assertHidden(t, canary, v)
	}
	assert.Equal(t, "REDACTED", fmt.Sprint(secret))
	assert.Equal(t, "REDACTED", secret.String())
	assert.Equal(t, "REDACTED", fmt.Sprint(circleci.Secret("")), "not even that there is none")
	assert.Equal(t, canary, secret.Reveal())
	assert.Len(t, secret, len(canary))
}

func TestASecretIsSentInClear(t *testing.T) {
	wire := replies(answers(200, `{}`), answers(201, `{}`), answers(200, `{}`))
	client := wire.client(t)
	_, err := client.Contexts.SetEnvVar(t.Context(), someID, "A", circleci.SetEnvVarRequest{Value: "hunter2"})
	require.NoError(t, err)
	_, err = client.Projects.SetEnvVar(t.Context(), slug, "A", circleci.SetEnvVarRequest{Value: `"<é`})
	require.NoError(t, err)
	require.NoError(t, client.Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{ContinuationKey: "key", Configuration: "version: 2.1"}))
	sent := wire.requests()
	assert.Equal(t, `{"value":"hunter2"}`, sent[0].Body)
	assert.Equal(t, `{"name":"A","value":"\"<é"}`, sent[1].Body)
	assert.Equal(t, `{"continuation-key":"key","configuration":"version: 2.1"}`, sent[2].Body)

	secret := circleci.Secret("s")
	assert.Equal(t, `{"a":"s","b":["s"],"c":"s"}`, bodyOf(t, map[string]any{"a": secret, "b": []circleci.Secret{"s"}, "c": &secret}))
}

func TestASecretCanBeRead(t *testing.T) {
	var in circleci.SetEnvVarRequest
	require.NoError(t, json.Unmarshal([]byte(`{"value":"hunter2"}`), &in), "as from a file of the user's")
	assert.Equal(t, circleci.Secret("hunter2"), in.Value)
	require.NoError(t, replies(answers(200, `{"value":"from the API"}`)).client(t).Do(t.Context(), circleci.Request{Route: "/x"}, &in))
	assert.Equal(t, "from the API", in.Value.Reveal())
}

// TestASecretThatAServerEchoesIsNotShown, wherever it stands in the request.
func TestASecretThatAServerEchoesIsNotShown(t *testing.T) {
	const secret = circleci.Secret("hunter2-hunter2")
	type inner struct{ Values []circleci.Secret }
	for _, body := range []any{
		map[string]circleci.Secret{"value": secret}, &inner{[]circleci.Secret{secret}}, struct{ In any }{inner{[]circleci.Secret{secret}}},
	} {
		wire := replies(answers(400, `{"message":"bad value hunter2-hunter2"}`))
		err := wire.client(t).Do(t.Context(), circleci.Request{Method: "PUT", Route: "/x", Body: body}, nil)
		assert.Contains(t, err.Error(), "bad value REDACTED")
		assert.NotContains(t, fmt.Sprintf("%+v", err), secret.Reveal())
	}
}

func TestAnEchoedSecretIsHidden(t *testing.T) {
	client := always(answers(400, `{"message":"hunter123 is too short"}`)).client(t)
	hook := circleci.UpdateWebhookRequest{SigningSecret: circleci.Some[circleci.Secret]("hunter123")}
	_, err := client.Webhooks.Update(t.Context(), someID, hook)
	require.ErrorContains(t, err, "REDACTED is too short")
	assertHidden(t, "hunter123", err)
	type node struct {
		Next   *node
		secret circleci.Secret
		Any    any
	}
	body := node{Next: &node{secret: "hunter123", Any: map[string]any{"a": []any{circleci.Secret("hunter456")}}}}
	err = always(answers(400, `{"message":"hunter123 and hunter456 are too short"}`)).client(t).
		Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/x", Body: body}, nil)
	require.ErrorContains(t, err, "REDACTED and REDACTED are too short")
}
