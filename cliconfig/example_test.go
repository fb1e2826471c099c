package cliconfig_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/cliconfig"
)

// Who has set up the command line tool needs to set no token again.
func ExampleNewClient() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(home) }()
	if err := logIn(home, srv); err != nil {
		fmt.Println(err)
		return
	}

	client, err := cliconfig.NewClient()
	if err != nil {
		fmt.Println(err)
		return
	}
	me, err := client.Users.Me(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("hello,", me.Name)
	// Output: hello, Ada Lovelace
}

// logIn writes what the tool writes, where nothing is set in the environment.
func logIn(home string, srv *circlecitest.Server) error {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CIRCLE") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME"} {
		if err := os.Setenv(name, home); err != nil {
			return err
		}
	}
	path := filepath.Join(home, ".circleci", "cli.yml")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte("host: "+srv.URL()+"\ntoken: "+srv.Token()+"\n"), 0o600)
}
