package cosbucket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"wedrop/storage/cosbucket"
	"wedrop/storage/cosbucket/costest"
	"wedrop/storage/storagetest"
)

func TestTheDriverKeepsTheRules(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Harness{Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		return inSituation(t, s, "")
	}})
}

func TestTheDriverKeepsTheRulesWithTemporaryCredentials(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Harness{Open: func(t *testing.T, s storagetest.Situation) storagetest.Bucket {
		return inSituation(t, s, "costest-session-token")
	}})
}

func inSituation(t *testing.T, s storagetest.Situation, token string) storagetest.Bucket {
	o := costest.Options{Token: token, Policy: []string{storagetest.Prefix + "/"}}
	trouble := costest.Trouble{}
	switch s {
	case storagetest.ACLs, storagetest.ACLsIgnored:
		o.Policy = nil
	case storagetest.ACLsRefused:
		o.ACLs = -1
	case storagetest.ACLsBlocked:
		trouble.DenyACL = true
	case storagetest.ReadOnly:
		trouble.Deny = []string{"PUT", "DELETE"}
	case storagetest.NoBucket:
		trouble.NoBucket = true
	}
	server := serve(t, o)
	server.Set(trouble)
	server.IgnoreACL(s == storagetest.ACLsIgnored)
	id, key, token := server.Credentials()
	if s == storagetest.WrongSecret {
		key = "another-secret-key"
	}
	d, err := cosbucket.Open(server.Link(storagetest.Prefix), cosbucket.Options{SecretID: id, SecretKey: key, Token: token})
	require.NoError(t, err)
	b := storagetest.Bucket{Driver: d, Faults: &server.Faults, Secrets: []string{key}}
	if token != "" {
		b.Secrets = append(b.Secrets, token)
	}
	return b
}
