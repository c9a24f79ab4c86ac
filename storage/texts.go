package storage

// A text is what people read of an Error. {bucket}, {key}, {url} and {detail}
// are filled in.
type text struct{ zh, zhRemedy, en, enRemedy string }

// texts are found by Error.text: "reason R", "cause C" or "kind K", alone or
// followed by the sort of bucket. It is never changed.
var texts = map[string]text{
	"kind denied": {
		"{bucket} 拒绝访问（{key}）。",
		"请管理员检查密钥是否填对、是否过期，并给它这个目录下的写入、读取、删除权限，然后重试。",
		"{bucket} denied access ({key}).",
		"Ask the administrator to check that the keys are right and not expired, and that they may write, read and delete under the prefix; then try again.",
	},
	"kind denied s3": {
		"{bucket} 拒绝访问（{key}）。",
		"请检查 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY（或所用的 profile、角色）是否正确、未过期，并允许它在该前缀下执行 s3:PutObject、s3:GetObject、s3:DeleteObject。若设置了 storage.access: object-acl，还需要 s3:PutObjectAcl，并在控制台「阻止公有访问（Block Public Access）」中放开 ACL。",
		"{bucket} denied access ({key}).",
		"Check that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the profile or role) are right and not expired, and allow them s3:PutObject, s3:GetObject and s3:DeleteObject under the prefix. With storage.access: object-acl they need s3:PutObjectAcl too, and \"Block Public Access\" must let ACLs pass.",
	},
	"kind denied cos": {
		"{bucket} 拒绝访问（{key}）。",
		"请检查 TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRET_KEY（临时密钥还要 TENCENTCLOUD_TOKEN）是否正确、未过期，并在腾讯云「访问管理」中允许该密钥在此前缀下执行 PutObject、HeadObject、GetObject、DeleteObject（按对象设权限时还要 PutObjectACL）。",
		"{bucket} denied access ({key}).",
		"Check that TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (and TENCENTCLOUD_TOKEN for temporary keys) are right and not expired, and allow them PutObject, HeadObject, GetObject and DeleteObject under the prefix in Tencent Cloud's CAM (with object ACLs PutObjectACL too).",
	},
	"kind denied dir": {
		"没有权限写入文件夹 {bucket}（{key}）。",
		"请让运行 wedrop 的账号对这个文件夹有写入权限，并确认磁盘没有挂载成只读。",
		"no permission to write to the folder {bucket} ({key}).",
		"Give the account that runs wedrop the right to write to this folder, and make sure the disk is not mounted read-only.",
	},
	"reason credentials s3": {
		"没有找到 {bucket} 的访问密钥。",
		"请设置环境变量 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，或用 AWS_PROFILE 指定一个配置，然后重试。",
		"no credentials were found for {bucket}.",
		"Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE; then try again.",
	},
	"reason credentials cos": {
		"没有找到 {bucket} 的访问密钥。",
		"请设置环境变量 TENCENTCLOUD_SECRET_ID 和 TENCENTCLOUD_SECRET_KEY（临时密钥还要 TENCENTCLOUD_TOKEN），然后重试。",
		"no credentials were found for {bucket}.",
		"Set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY (and TENCENTCLOUD_TOKEN for temporary keys); then try again.",
	},
	"kind unreachable": {
		"暂时连不上 {bucket}，或服务正忙（{key}）。",
		"不用处理，稍后会自动重试。如果一直这样，请检查本机网络、代理和 storage.url 里的地址。",
		"{bucket} cannot be reached at the moment, or is busy ({key}).",
		"Nothing to do: it will be tried again. If it stays so, check the network, the proxy and the address in storage.url.",
	},
	"kind not-public": {
		"文件已上传，但公开链接打不开（{detail}）：{url}",
		"企业微信要能不带密码下载这个链接。请管理员把该目录设为公有读，然后重试。",
		"the file was uploaded, but its public link cannot be opened ({detail}): {url}",
		"WeCom must be able to fetch this link without a password. Ask the administrator to make the prefix readable by everybody; then try again.",
	},
	"kind not-public s3": {
		"文件已上传，但公开链接打不开（{detail}）：{url}",
		"请管理员在 S3 控制台打开该存储桶的「权限」：先在「阻止公有访问（Block Public Access）」中放开存储桶策略（或 ACL），再任选其一：在「存储桶策略」中粘贴一条允许匿名读取该前缀的策略；或把「对象所有权」改为「ACL 已启用」并设 storage.access: object-acl。若用的是 R2 等不能匿名访问的服务或 CDN，请把 storage.public_url 设为公开域名。改好后重试。",
		"the file was uploaded, but its public link cannot be opened ({detail}): {url}",
		"In the S3 console, under the bucket's Permissions, let bucket policies (or ACLs) pass in \"Block Public Access\"; then either paste a bucket policy that lets everybody read the prefix, or set \"Object Ownership\" to \"ACLs enabled\" and storage.access: object-acl. For R2 and other services that are never public, or for a CDN, set storage.public_url to the public domain. Then try again.",
	},
	"kind not-public cos": {
		"文件已上传，但公开链接打不开（{detail}）：{url}",
		"请管理员在腾讯云对象存储控制台打开该存储桶的「权限管理」，在「Policy 权限设置」中允许所有用户读取该前缀（GetObject），或把「存储桶访问权限」设为「公有读私有写」（后者还会让别人能列出文件名，不如前者）。改好后重试。",
		"the file was uploaded, but its public link cannot be opened ({detail}): {url}",
		"In the COS console, under the bucket's 权限管理 (Permission Management), add a Policy that lets all users read (GetObject) the prefix, or set the bucket to 公有读私有写 (Public Read/Private Write; this also lets strangers list the names, so the policy is better). Then try again.",
	},
	"kind not-public dir": {
		"文件已放进文件夹，但公开链接打不开（{detail}）：{url}",
		"请检查网页服务器（如 Nginx）发布的正是 {bucket} 这个文件夹、storage.public_url 与它对应，并且不需要登录就能访问；文件权限应为 0644。改好后重试。",
		"the file is in the folder, but its public link cannot be opened ({detail}): {url}",
		"Check that the web server publishes the very folder {bucket}, that storage.public_url points to it, and that it asks for no login; the files' mode should be 0644. Then try again.",
	},
	"kind unreachable prove": {
		"文件已放进存储桶，但公开链接现在打不开（{detail}）：{url}",
		"会自动重试。如果一直这样，请检查 storage.public_url 写得对不对、提供这个地址的网页服务器或 CDN 是否在运行：企业微信要从这个地址取文件。",
		"the file is in the bucket, but its public link does not answer now ({detail}): {url}",
		"It is tried again by itself. If it stays so, check storage.public_url, and that the web server or CDN behind it runs: WeCom fetches the file from there.",
	},
	"kind no-range": {
		"公开链接不支持分段下载（{detail}）：{url}",
		"企业微信要求链接支持 Range 分段下载。请在网页服务器或 CDN 上打开 Range（Nginx：不要用 max_ranges 0，关闭对该目录的压缩；CDN：打开「Range 回源/分片」），或把 storage.public_url 改成存储桶自己的域名，然后重试。",
		"the public link does not serve parts of the file ({detail}): {url}",
		"WeCom requires links that support Range. Turn on range requests at the web server or CDN (nginx: no max_ranges 0, no compression for this folder), or set storage.public_url to the bucket's own domain; then try again.",
	},
	// The local file's own changes have a reason or a cause: here it is the copy.
	"kind changed": {
		"公开副本和本地文件不一致（{detail}）：{url}",
		"多半是 CDN 还缓存着旧内容，或者有人动过存储桶里的文件。请刷新 CDN 缓存后重试；如果本地文件刚改过，请等它保存完整再发送。",
		"the public copy is not the local file ({detail}): {url}",
		"A CDN has probably kept old content, or somebody changed the file in the bucket. Refresh the CDN's cache and try again; if the local file was just edited, wait until it is saved.",
	},
	"cause bad-digest": {
		"上传的内容与文件的 MD5 不一致（{key}），没有保留这份副本。",
		"多半是文件在上传时被改动了。请确认它已保存完整，然后重新发送。",
		"what was sent does not have the file's MD5 ({key}); no copy was kept.",
		"The file was probably changed while it was sent. Make sure that it is saved; then send it again.",
	},
	"reason source": {
		"读取本地文件时出错：文件被改动、移走或无法读取（{key}）。",
		"请确认文件还在原处、已保存完整，然后重新发送。",
		"the local file could not be read to its end: it was changed or moved, or cannot be read ({key}).",
		"Make sure that the file is still there and saved; then send it again.",
	},
	"kind bad-config": {
		"{bucket} 不接受这个请求（{key}）。",
		"请检查 storage.url 里的存储桶名、地域（region）和地址（endpoint），然后重试。",
		"{bucket} does not take the request ({key}).",
		"Check the bucket's name, the region and the endpoint in storage.url; then try again.",
	},
	"cause no-acl": {
		"{bucket} 不允许给单个文件设置公有读权限（ACL）。",
		"请把 storage.access 改为 bucket-policy（或 auto），并在存储桶的权限设置里粘贴一条允许匿名读取该前缀的策略。",
		"{bucket} takes no access rights (ACLs) on single objects.",
		"Set storage.access to bucket-policy (or auto), and paste a policy that lets everybody read the prefix into the bucket's permissions.",
	},
	"cause no-acl s3": {
		"{bucket} 不允许给单个文件设置公有读权限（ACL）。",
		"任选其一：把 storage.access 改为 bucket-policy，并在 S3 控制台的「存储桶策略」中粘贴策略；或在「对象所有权」中选择「ACL 已启用」，并在「阻止公有访问（Block Public Access）」中放开 ACL。",
		"{bucket} takes no access rights (ACLs) on single objects.",
		"Either set storage.access to bucket-policy and paste a bucket policy in the S3 console, or set \"Object Ownership\" to \"ACLs enabled\" and let ACLs pass in \"Block Public Access\".",
	},
	"cause no-bucket": {
		"找不到存储桶 {bucket}。",
		"请检查 storage.url 里的存储桶名、地域（region）和地址（endpoint）；存储桶要先在控制台建好。",
		"there is no bucket {bucket}.",
		"Check the bucket's name, the region and the endpoint in storage.url; the bucket must exist before.",
	},
	"cause no-bucket dir": {
		"文件夹 {bucket} 不见了。",
		"请确认这个文件夹还在，网络盘已经挂载，然后重试。",
		"the folder {bucket} is gone.",
		"Make sure that the folder exists and that the network drive is mounted; then try again.",
	},
	"cause clock": {
		"本机时间和 {bucket} 的时间相差太多，请求被拒绝。",
		"请校准本机时间（打开自动对时），然后重试。",
		"this machine's clock differs too much from {bucket}'s, so the request was refused.",
		"Set the clock (turn on automatic time); then try again.",
	},
	"cause full": {
		"{bucket} 的空间用完了，放不下 {key}。",
		"请清理空间或提高配额，然后重试。",
		"{bucket} has no space left for {key}.",
		"Free some space or raise the quota; then try again.",
	},
	"reason url": {
		"storage.url 的写法不对（{detail}）。",
		"请写成 s3://存储桶/前缀?region=地域、cos://存储桶-APPID/前缀?region=地域，或 dir:///文件夹 的样子；密钥放在环境变量里，不写进地址。",
		"storage.url cannot be understood ({detail}).",
		"Write it as s3://bucket/prefix?region=R, cos://bucket-appid/prefix?region=R or dir:///folder; keys belong into the environment, not into the address.",
	},
	"reason endpoint": {
		"storage.url 里的 endpoint 不能用（{detail}）。",
		"请写成 https:// 开头的服务地址，不带路径参数和密码；http:// 只能用于本机。",
		"the endpoint in storage.url cannot be used ({detail}).",
		"Give the service's address with https://, without parameters and passwords; http:// is for this machine alone.",
	},
	"reason region": {
		"没有写明 {bucket} 所在的地域（{detail}）。",
		"请在 storage.url 后面加上 ?region=地域，例如 ?region=ap-guangzhou（腾讯云）或 ?region=ap-east-1（AWS），或设置环境变量 AWS_REGION（仅 S3）。",
		"the region of {bucket} is missing ({detail}).",
		"Add ?region=R to storage.url, for example ?region=ap-guangzhou (Tencent) or ?region=ap-east-1 (AWS), or set AWS_REGION (S3 alone).",
	},
	"reason folder": {
		"{bucket} 不是可用的文件夹（{detail}）。",
		"请先建好这个文件夹，并让网页服务器发布它；storage.url 写成 dir:///文件夹。",
		"{bucket} is no usable folder ({detail}).",
		"Make the folder first and let the web server publish it; storage.url is dir:///folder.",
	},
	"reason prefix": {
		"storage.url 里的前缀不能用（{detail}）。",
		"请只用英文字母、数字和 - _ . / ，例如 media/wecom：链接里的中文会变长，企业微信只接受 1024 字节以内的链接。",
		"the prefix in storage.url cannot be used ({detail}).",
		"Use only letters, digits and - _ . / , for example media/wecom: other characters grow in a link, and WeCom takes links of at most 1024 bytes.",
	},
	"reason public-url": {
		"storage.public_url 不能用（{detail}）。",
		"请填写公开访问的地址，例如 https://cdn.example.com/media；必须是 https（http 只能用于本机），不带参数和密码。使用 dir:// 或不能匿名访问的存储服务时必须填写。",
		"storage.public_url cannot be used ({detail}).",
		"Give the public address, for example https://cdn.example.com/media; it must be https (http is for this machine alone), without parameters and passwords. It is required for dir:// and for services that are never public themselves.",
	},
	"reason access": {
		"storage.access 的值不对（{detail}）。",
		"请填 auto、object-acl 或 bucket-policy。",
		"storage.access has an unknown value ({detail}).",
		"Set it to auto, object-acl or bucket-policy.",
	},
	"reason link-length": {
		"公开链接太长（{detail}），企业微信只接受 1024 字节以内的链接。",
		"请缩短 storage.public_url 或 storage.url 里的前缀。",
		"the public link is too long ({detail}); WeCom takes at most 1024 bytes.",
		"Shorten storage.public_url or the prefix in storage.url.",
	},
	"reason executable": {
		"腾讯云 COS（包括静态网站和全球加速域名）和华为云 OBS 的默认域名不提供 .apk、.ipa 文件的下载（{detail}）：{key}",
		"请把 storage.public_url 设为绑定到存储桶的自有域名，或先把文件压缩成 zip 再发送。",
		"the default domains of COS (those for static websites and acceleration, too) and OBS do not serve .apk and .ipa files ({detail}): {key}",
		"Set storage.public_url to a domain of your own that is bound to the bucket, or send the file as a zip.",
	},
	"reason redirect": {
		"公开链接跳转到了别的地址（{detail}）：{url}",
		"请把 storage.public_url 直接设为最终提供文件的 https 地址，然后重试。",
		"the public link leads elsewhere ({detail}): {url}",
		"Set storage.public_url to the https address that serves the file itself; then try again.",
	},
	"reason encoded": {
		"服务器在传输时压缩了文件（{detail}）：{url}",
		"请在网页服务器或 CDN 上关闭该目录的压缩（gzip、智能压缩），然后重试。",
		"the server compresses the file on its way ({detail}): {url}",
		"Turn off compression (gzip, brotli) for this folder at the web server or CDN; then try again.",
	},
	"reason key": {
		"{key} 不在 wedrop 自己的目录里（{detail}），没有删除。",
		"如果换过 storage.url 的前缀，请到控制台手动删除旧文件。",
		"{key} is not under wedrop's own prefix ({detail}) and was not deleted.",
		"If the prefix in storage.url was changed, delete old files in the console.",
	},
}
