package cosbucket

import (
	"encoding/json"
	"strings"
)

// Policy is the bucket policy that lets everybody read what lies under prefix
// and list nothing (cloud.tencent.com/document/product/436/8282 for its form).
// It is "" if the link has an endpoint and no region, which the resource's
// name needs.
func (d *Driver) Policy(prefix string) string {
	if d.link.region == "" {
		return ""
	}
	path := "*"
	if p := strings.Trim(prefix, "/"); p != "" {
		path = p + "/*"
	}
	resource := "qcs::cos:" + d.link.region + ":uid/" + d.link.appID + ":" + d.link.bucket + "/" + path
	text, err := json.MarshalIndent(policy{Version: "2.0", Statement: []statement{{
		Principal: principal{[]string{"qcs::cam::anyone:anyone"}},
		Effect:    "allow",
		Action:    []string{"name/cos:GetObject", "name/cos:HeadObject"},
		Resource:  []string{resource},
	}}}, "", "  ")
	if err != nil {
		return ""
	}
	return string(text)
}

type policy struct {
	Statement []statement `json:"Statement"`
	Version   string      `json:"version"`
}

type statement struct {
	Principal principal `json:"Principal"`
	Effect    string    `json:"Effect"`
	Action    []string  `json:"Action"`
	Resource  []string  `json:"Resource"`
}

type principal struct {
	QCS []string `json:"qcs"`
}
