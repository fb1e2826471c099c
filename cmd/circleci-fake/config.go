package main

import (
	"errors"
	"os"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// demoProject is the project of a configuration without a slug.
const demoProject circleci.ProjectSlug = "gh/acme/web"

// configFiles is a repeatable flag: a path, or a project slug and a path.
type configFiles []configFile

type configFile struct {
	slug circleci.ProjectSlug
	path string
}

func (c *configFiles) String() string {
	var all []string
	for _, file := range *c {
		all = append(all, string(file.slug)+"="+file.path)
	}
	return strings.Join(all, " ")
}

// Set adds a configuration file.
func (c *configFiles) Set(text string) error {
	file := configFile{demoProject, text}
	if slug, path, named := strings.Cut(text, "="); named {
		parsed, err := circleci.ParseProjectSlug(slug)
		if err != nil {
			return err
		}
		file = configFile{parsed, path}
	}
	if file.path == "" {
		return errors.New("want the path of a file, or a project slug, = and a path")
	}
	*c = append(*c, file)
	return nil
}

// configure sets the configurations of the projects.
func (c *configFiles) configure(srv *circlecitest.Server) error {
	for _, file := range *c {
		text, err := os.ReadFile(file.path)
		if err != nil {
			return err
		}
		if err := srv.Configure(file.slug, string(text)); err != nil {
			return err
		}
	}
	return nil
}
