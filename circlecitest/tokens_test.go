package circlecitest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
)

// A client has to be able to say who it is in all the ways of the API.
func TestAToken(t *testing.T) {
	srv := circlecitest.New(t)
	for name, header := range map[string][2]string{
		"its own header": {"Circle-Token", srv.Token()},
		"bearer":         {"Authorization", "Bearer " + srv.Token()},
		"basic, as user": {"Authorization", "Basic Q0NJUEFUX2NpcmNsZWNpdGVzdF8wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3Og=="},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/api/v2/me", nil)
		req.Header.Set(header[0], header[1])
		resp, err := srv.Transport().RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 200, resp.StatusCode, name)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/api/v2/me?circle-token="+srv.Token(), nil)
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 401, resp.StatusCode, "in the query, as of old, it counts no more")
	for _, r := range srv.Requests() {
		assert.NotContains(t, fmt.Sprint(r), "CCIPAT", "a token is kept nowhere")
	}
}

func TestAnAnswerThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Weather(circlecitest.Latency(time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := once(srv).Users.Me(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(begin))
	})
}
