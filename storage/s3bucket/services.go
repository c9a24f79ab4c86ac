package s3bucket

import (
	"net/url"
	"strings"

	"wedrop/storage"
)

// A service is who speaks the protocol: each has switches of its own.
type service string

const (
	serviceAWS   service = "aws"
	serviceOSS   service = "oss" // Aliyun
	serviceOBS   service = "obs" // Huawei
	serviceTOS   service = "tos" // Volcengine
	serviceOther service = ""
)

// serviceAt knows services by the host of the bucket's address.
func serviceAt(address string) service {
	u, err := url.Parse(address)
	if err != nil {
		return serviceOther
	}
	host := "." + strings.ToLower(u.Hostname())
	for _, known := range []struct {
		suffix string
		is     service
	}{
		{".amazonaws.com", serviceAWS}, {".amazonaws.com.cn", serviceAWS},
		{".aliyuncs.com", serviceOSS},
		{".myhuaweicloud.com", serviceOBS}, {".myhuaweicloud.cn", serviceOBS}, {".myhuaweicloud.eu", serviceOBS},
		{".volces.com", serviceTOS}, {".ivolces.com", serviceTOS}, {".bytepluses.com", serviceTOS},
	} {
		if strings.HasSuffix(host, known.suffix) {
			return known.is
		}
	}
	return serviceOther
}

// noPathStyle is the refusal of path_style=true where the service answers each
// such request with an error.
var noPathStyle = &storage.Advice{
	ZH:       "storage.url 里写了 path_style=true，但{detail}只接受存储桶自己的域名。",
	ZHRemedy: "请去掉 path_style=true；endpoint 写服务的地址，不带存储桶名，例如 https://oss-cn-hangzhou.aliyuncs.com 或 https://tos-s3-cn-beijing.volces.com。",
	EN:       "storage.url has path_style=true, and {detail} takes requests at the bucket's own host alone.",
	ENRemedy: "Leave path_style=true out; the endpoint is the service's address without the bucket, for example https://oss-cn-hangzhou.aliyuncs.com or https://tos-s3-cn-beijing.volces.com.",
}

// Advice implements storage.Adviser. The facts are of 2026-11.
func (d *Driver) Advice(e *storage.Error) *storage.Advice {
	said := func(code string) bool { return e.Fault.Code == code || strings.HasSuffix(e.Detail, " "+code) }
	switch {
	case said("PublicEndpointForbidden"): // OSS, EC 0048-00000401, accounts since 2025-03-20
		return &storage.Advice{
			ZH:       "阿里云 OSS 不让这个账号通过默认公网域名读写 {bucket}（PublicEndpointForbidden，EC 0048-00000401）。",
			ZHRemedy: "2025-03-20 之后开通的账号在中国内地地域都是这样。请在 OSS 控制台「Bucket 配置 › 域名管理」绑定已备案的自定义域名（CNAME），把 storage.url 里的 endpoint 和 storage.public_url 都改成这个域名；或换用香港等境外地域的存储桶。",
			EN:       "Aliyun OSS does not let this account use {bucket} by its default public domain (PublicEndpointForbidden, EC 0048-00000401).",
			ENRemedy: "It is so for accounts since 2025-03-20 in regions of mainland China. Bind a domain of your own (CNAME, with its ICP registration) to the bucket in the OSS console, and use it as the endpoint in storage.url and as storage.public_url; or take a bucket in another region, such as Hong Kong.",
		}
	case said("SecondLevelDomainForbidden"), said("InvalidPathAccess"): // OSS; TOS
		a := *noPathStyle
		a.ZH = strings.ReplaceAll(a.ZH, "{detail}", "这个服务")
		a.EN = strings.ReplaceAll(a.EN, "{detail}", "this service")
		return &a
	case e.Kind == storage.NotPublic || e.Fault.Cause == storage.CauseNoACL:
		return blocked[d.service]
	}
	return nil
}

// blocked are the switches that keep objects from being public; the texts of
// Amazon's are the general ones with the organisation's block.
var blocked = map[service]*storage.Advice{
	serviceAWS: {
		ZHRemedy: "请管理员在 S3 控制台打开该存储桶的「权限」：先在「阻止公有访问（Block Public Access）」中放开存储桶策略（或 ACL），再任选其一：在「存储桶策略」中粘贴一条允许匿名读取该前缀的策略；或把「对象所有权」改为「ACL 已启用」并设 storage.access: object-acl。如果存储桶和账号里都已放开、仍打不开，是组织（AWS Organizations）统一阻止的：账号里改不了，要由组织的管理员放开，或改用 CDN 并把 storage.public_url 设为它的域名。改好后重试。",
		ENRemedy: "In the S3 console, under the bucket's Permissions, let bucket policies (or ACLs) pass in \"Block Public Access\"; then either paste a bucket policy that lets everybody read the prefix, or set \"Object Ownership\" to \"ACLs enabled\" and storage.access: object-acl. If the bucket and the account let it pass already, the organization (AWS Organizations) blocks it: that cannot be changed in the account; have its administrator lift it, or use a CDN and set storage.public_url to its domain. Then try again.",
	},
	serviceOSS: {
		ZHRemedy: "请管理员在 OSS 控制台关闭「阻止公共访问」（2025-10-13 起通过 API、SDK、ossutil 新建的存储桶默认开启；账号级的也要关闭，在「OSS 概览 › 阻止公共访问」），打开期间已有的读写权限和授权策略都不生效。然后在「权限控制 › Bucket 授权策略」允许所有账号（*）只读该前缀，或把读写权限设为公共读。改好后重试。",
		ENRemedy: "In the OSS console turn off 阻止公共访问 (Block Public Access) of the bucket, and the account's too: it is on by default for buckets made by API, SDK or ossutil since 2025-10-13, and ACLs and policies are ignored while it is on. Then let everybody read the prefix by a bucket policy (Bucket 授权策略), or set the ACL to public-read. Then try again.",
	},
	serviceOBS: {
		ZHRemedy: "请管理员在华为云 OBS 控制台该桶的「权限控制」里：先关闭「阻止公共访问」（打开时，带公共读权限的上传会得到 403 AccessDenied，看起来像密钥不对），再在「桶策略」里允许匿名用户只读（GetObject）该前缀，或设 storage.access: object-acl。改好后重试。",
		ENRemedy: "In the OBS console, under the bucket's 权限控制 (Permissions), first turn off 阻止公共访问 (Block Public Access): while it is on, a PUT with a public ACL gets 403 AccessDenied, which reads like wrong keys. Then let anonymous users read (GetObject) the prefix by a bucket policy, or set storage.access: object-acl. Then try again.",
	},
	serviceTOS: {
		ZHRemedy: "请管理员在火山引擎 TOS 控制台该桶的「权限管理」里，用桶策略允许所有人只读（GetObject）该前缀，或把读写权限设为公共读。改好后重试。",
		ENRemedy: "In the TOS console, under the bucket's 权限管理 (Permissions), let everybody read (GetObject) the prefix by a bucket policy, or set the ACL to public-read. Then try again.",
	},
}

var _ storage.Adviser = (*Driver)(nil)
