// The page of wedrop: sends files by tus (resumable uploads) and shows the
// ledger. It talks to /upload/ and /api/ alone, keeps nothing but the language
// and unfinished uploads in this browser, and writes text only as text: names
// come from strangers.

// ---------------------------------------------------------------- words

const zh = {
  title: 'wedrop 素材台', desk: '素材台', skip: '跳到素材列表', signout: '退出',
  other: 'English', otherLabel: 'Switch to English',
  connecting: '正在连接', online: '已连接', lost: '连接中断',
  offline: '暂时连不上 wedrop，可能是网络断了或程序正在重启。会自动重连，已经传完的部分不会丢。',
  sendTitle: '发送文件', drop: '把文件拖到这里，或点击选择',
  dropHint: 'MP4 视频，或任意文件 · 5 字节到 200 MB · 断线会自动接着传',
  release: '松开就开始上传', typeLegend: '作为什么发送',
  typeAuto: '自动', typeVideo: '视频', typeFile: '文件',
  hintAuto: 'MP4 作为视频发送，其他文件作为普通文件发送',
  hintVideo: '只收 MP4，客户点开就能播放', hintFile: '什么都收，客户收到的是一个文件',
  uploads: '正在上传', listTitle: '素材列表', search: '搜索名称、media_id 或 MD5', searchShort: '搜索名称、media_id',
  chipsLabel: '按状态筛选', all: '全部', working: '进行中', done: '可用', held: '已停下', expiring: '快过期',
  colName: '名称', colState: '状态', colLife: '有效期', colDo: '操作', close: '关闭',
  video: '视频', file: '文件', auto: '自动识别',
  inspect: '检查中', inspectWait: '等待检查', stage: '上传中', stageWait: '排队上传', submit: '排队提交', submitNow: '提交中',
  await: '企业微信处理中', ready: '可用', expired: '已过期', stopped: '已停下',
  renewing: '续期中', waited: d => `已等 ${d}`, again: d => d ? `${d}后自动再试` : '马上自动再试',
  sec: n => `${n} 秒`, min: n => `${n} 分钟`, hourMin: (h, m) => `${h} 小时 ${m} 分`, dayHour: (d, h) => `${d} 天 ${h} 小时`,
  left: d => `剩 ${d}`, gone: d => `${d}前过期`, soon: '快过期', verySoon: '马上过期', renewsItself: '到时自动续期', noLife: '–',
  copy: '复制', copied: '已复制', copyOf: n => `复制“${n}”的 media_id`, copyFailed: '浏览器不让复制，请手动选中后按 Ctrl+C',
  retry: '重试', retryAll: n => `全部重试（${n}）`, renew: '续期', preview: '预览', details: '详情', detailsOf: n => `“${n}”的详情`,
  cancel: '取消', pause: '暂停', resume: '继续', dismiss: '知道了', asFile: '作为文件发送', tryAgain: '再试一次', pickAgain: '选择文件，接着传', forget: '放弃',
  todo: '怎么办', checking: '检查文件', queued: '排队中', going: '上传中', paused: '已暂停', waiting: '连接断了，正在自动重连', entering: '已传完，正在登记',
  perSec: s => `${s}/秒`, about: d => `还要 ${d}`,
  orphan: (n, p) => `“${n}”上次传到 ${p}%`, orphanHint: '选择同一个文件，就从断开的地方接着传。',
  sum: (done, all, bytes, total) => `${done} / ${all} 个 · ${bytes} / ${total}`, sumBad: n => ` · ${n} 个没有发出`,
  waitingFiles: '文件夹里还没写完的文件', waitingRemedy: '不用处理，写完后会自动发送；如果复制已经中断，请重新复制一遍。', blockedBy: n => `${n} 个文件因此停下或在等：`, blockedWait: '等上方的问题解决', seeAbove: '和页面上方是同一个原因，改好后会自动继续。',
  readyToast: n => `“${n}”可用了`, readyMany: n => `${n} 个文件可用了`, heldToast: n => `“${n}”停下了，需要处理`, heldMany: n => `${n} 个文件停下了，需要处理`,
  retried: n => `“${n}”已重新开始`, renewed: n => `“${n}”开始续期`, known: n => `“${n}”以前发过，直接可用`,
  already: n => `“${n}”已经在上传了`,
  empty: '还没有素材。把第一个文件拖进来吧。', emptyFilter: '没有符合条件的素材。',
  onlyNewest: (n, all) => `只列出最新的 ${n} 个，共 ${all} 个。更早的请用搜索或筛选来找。`, showing: n => `共 ${n} 个`,
  history: '经过', warnings: '提醒', received: '收到文件', times: n => `（共 ${n} 次）`,
  moved_on: { inspect: '等待检查', stage: '检查通过', submit: '已上传到存储桶', await: '已提交给企业微信', done: '拿到 media_id' },
  failed: { inspect: '检查没有成功，稍后自动再试', stage: '上传没有成功，稍后自动再试', submit: '提交没有成功，稍后自动再试', await: '查询结果没有成功，稍后自动再试', done: '没有成功，稍后自动再试' },
  went_back: { inspect: '退回重新检查', stage: '退回重新上传', submit: '退回重新提交', await: '退回重新等待', done: '退回重做' },
  stoppedAt: { inspect: '检查时停下', stage: '上传时停下', submit: '提交时停下', await: '企业微信处理时停下', done: '停下' },
  retriedEvent: '有人点了重试', renewingEvent: '开始续期', sent_again: '要求重新发送',
  fSize: '大小', fType: '类型', fMD5: 'MD5', fJob: '任务号', fURL: '公网链接', fPath: '所在位置', fCreated: '收到', fUpdated: '更新', fMedia: 'media_id',
  fExpires: '有效期至', fBytes: n => `${n} 字节`,
  noPreview: '这个浏览器播放不了这个文件，但不影响发送。',
  signinLead: '把视频和文件变成企业微信能用的 media_id', token: '访问口令', signin: '登录',
  tokenHint: '口令在服务器配置的 page_token 里，请向管理员索取。', wrong: '口令不对，请核对后再输入一次。',
  tooMany: s => `试错次数太多，请 ${s} 秒后再试。`, unreachable: '连不上服务器，请检查网络后再试。', signinTitle: 'wedrop 素材台 · 登录',
  problem: s => `服务器没有接受（${s}）`, problemRemedy: '请稍后再试一次；如果一直这样，请找管理员。',
  foot: v => `wedrop ${v} · 全部时间按这台电脑的时区显示`,
  kinds: { quicktime: '苹果 QuickTime MOV 视频', matroska: 'Matroska（MKV）或 WebM 视频', avi: 'AVI 视频', flv: 'Flash 视频（FLV）', asf: 'Windows Media 视频（WMV/ASF）', mpeg: 'MPEG-1/2 视频（MPG）', image: '图片', pdf: 'PDF 文档', zip: 'ZIP 压缩包或 Office 文档', html: '网页', unknown: '无法识别的数据' },
  tooSmall: (n, s) => s ? `“${n}”只有 ${s} 字节，企业微信要求至少 5 字节。` : `“${n}”是空文件（0 字节）。`,
  tooSmallDo: '请重新复制或导出这个文件。',
  tooLarge: (n, s, mb) => `“${n}”有 ${s} 字节（${mb} MB），超过企业微信 200 MB（209,715,200 字节）的上限。`,
  tooLargeDo: '请压缩或剪短到 200 MB 以内再试。',
  notMP4: (n, k) => `“${n}”不是 MP4 视频，内容其实是：${k}。`,
  notMP4Do: '请用剪映、格式工厂等软件转换为 MP4（改扩展名没有用），也可以点下面的“作为文件发送”。',
  unreadable: n => `读不了“${n}”。`, unreadableDo: '它可能被移动、改动或还在下载，请重新选择这个文件。',
  pageFile: '点下面的“作为文件发送”', pageDrop: '在上面选“文件”后重新拖进来',
};

const en = {
  title: 'wedrop desk', desk: 'desk', skip: 'Skip to the list', signout: 'Sign out',
  other: '中文', otherLabel: '切换到中文',
  connecting: 'Connecting', online: 'Connected', lost: 'Connection lost',
  offline: 'wedrop cannot be reached just now: the network may be down, or the program is restarting. It reconnects by itself, and what has been sent is kept.',
  sendTitle: 'Send files', drop: 'Drop files here, or click to choose',
  dropHint: 'MP4 videos or any file · 5 bytes to 200 MB · carries on after a lost connection',
  release: 'Let go to upload', typeLegend: 'Send as',
  typeAuto: 'Auto', typeVideo: 'Video', typeFile: 'File',
  hintAuto: 'An MP4 goes as a video, anything else as a file',
  hintVideo: 'MP4 only; customers tap and it plays', hintFile: 'Anything; customers receive a file',
  uploads: 'Uploading', listTitle: 'Files', search: 'Search by name, media_id or MD5', searchShort: 'Search name, media_id',
  chipsLabel: 'Filter by state', all: 'All', working: 'In progress', done: 'Ready', held: 'Stopped', expiring: 'Expiring',
  colName: 'Name', colState: 'State', colLife: 'Valid', colDo: 'Actions', close: 'Close',
  video: 'Video', file: 'File', auto: 'Auto',
  inspect: 'Checking', inspectWait: 'Waiting to be checked', stage: 'Uploading', stageWait: 'Queued for upload', submit: 'Queued for submission', submitNow: 'Submitting',
  await: 'WeCom is on it', ready: 'Ready', expired: 'Expired', stopped: 'Stopped',
  renewing: 'Renewing', waited: d => d, again: d => d ? `Tries again in ${d}` : 'Tries again now',
  sec: n => `${n} s`, min: n => `${n} min`, hourMin: (h, m) => `${h} h ${m} min`, dayHour: (d, h) => `${d} d ${h} h`,
  left: d => `${d} left`, gone: d => `${d} ago`, soon: 'Expiring', verySoon: 'Expires very soon', renewsItself: 'renews itself', noLife: '–',
  copy: 'Copy', copied: 'Copied', copyOf: n => `Copy the media_id of ${n}`, copyFailed: 'The browser refused to copy: select it and press Ctrl+C',
  retry: 'Retry', retryAll: n => `Retry all (${n})`, renew: 'Renew', preview: 'Preview', details: 'Details', detailsOf: n => `Details of ${n}`,
  cancel: 'Cancel', pause: 'Pause', resume: 'Resume', dismiss: 'Dismiss', asFile: 'Send as a file', tryAgain: 'Try again', pickAgain: 'Choose the file and carry on', forget: 'Discard',
  todo: 'What to do', checking: 'Checking', queued: 'Queued', going: 'Uploading', paused: 'Paused', waiting: 'Connection lost, reconnecting', entering: 'Sent, being entered',
  perSec: s => `${s}/s`, about: d => `${d} to go`,
  orphan: (n, p) => `“${n}” stopped at ${p}%`, orphanHint: 'Choose the same file to carry on from there.',
  sum: (done, all, bytes, total) => `${done} of ${all} · ${bytes} of ${total}`, sumBad: n => ` · ${n} not sent`,
  waitingFiles: 'Files in the folders that are still being written', waitingRemedy: 'Nothing to do: they go when they are finished. If a copy was cut off, copy the file again.', blockedBy: n => `${n} ${n === 1 ? 'file has' : 'files have'} stopped or wait because of this:`, blockedWait: 'Waits for the cause above', seeAbove: 'The cause is the one at the top of the page; it goes on by itself once that is mended.',
  readyToast: n => `“${n}” is ready`, readyMany: n => `${n} files are ready`, heldToast: n => `“${n}” stopped and needs you`, heldMany: n => `${n} files stopped and need you`,
  retried: n => `“${n}” has started again`, renewed: n => `“${n}” is being renewed`, known: n => `“${n}” was sent before and is ready`,
  already: n => `“${n}” is being uploaded already`,
  empty: 'Nothing here yet. Drop your first file.', emptyFilter: 'Nothing matches.',
  onlyNewest: (n, all) => `The newest ${n} of ${all} are listed. Search or filter to find older ones.`, showing: n => `${n} in all`,
  history: 'History', warnings: 'Notes', received: 'File received', times: n => ` (${n} times)`,
  moved_on: { inspect: 'Waiting to be checked', stage: 'Checked', submit: 'Uploaded to the bucket', await: 'Submitted to WeCom', done: 'Got its media_id' },
  failed: { inspect: 'The check did not work; tried again by itself', stage: 'The upload did not work; tried again by itself', submit: 'The submission did not work; tried again by itself', await: 'The query did not work; tried again by itself', done: 'It did not work; tried again by itself' },
  went_back: { inspect: 'Sent back to be checked', stage: 'Sent back to be uploaded', submit: 'Sent back to be submitted', await: 'Sent back to wait', done: 'Sent back' },
  stoppedAt: { inspect: 'Stopped when it was checked', stage: 'Stopped in the upload', submit: 'Stopped in the submission', await: 'Stopped while WeCom had it', done: 'Stopped' },
  retriedEvent: 'Somebody retried it', renewingEvent: 'Renewal began', sent_again: 'To be sent again',
  fSize: 'Size', fType: 'Type', fMD5: 'MD5', fJob: 'Job', fURL: 'Public link', fPath: 'Place', fCreated: 'Received', fUpdated: 'Updated', fMedia: 'media_id',
  fExpires: 'Valid until', fBytes: n => Number(n) === 1 ? '1 byte' : `${n} bytes`,
  noPreview: 'This browser cannot show this file. It can still be sent.',
  signinLead: 'Turns videos and files into media_ids for WeCom', token: 'Access token', signin: 'Sign in',
  tokenHint: 'It is page_token in the configuration of the server; ask whoever runs it.', wrong: 'That is not the token. Check it and try once more.',
  tooMany: s => `Too many wrong tries. Try again in ${s} seconds.`, unreachable: 'The server cannot be reached. Check the network and try again.', signinTitle: 'wedrop desk · sign in',
  problem: s => `The server did not take it (${s})`, problemRemedy: 'Try again later; if it stays so, ask whoever runs the server.',
  foot: v => `wedrop ${v} · times are in the time zone of this computer`,
  kinds: { quicktime: 'QuickTime MOV', matroska: 'Matroska (MKV) or WebM', avi: 'AVI', flv: 'Flash video (FLV)', asf: 'Windows Media (WMV/ASF)', mpeg: 'MPEG-1/2 (MPG)', image: 'a picture', pdf: 'a PDF document', zip: 'a ZIP archive or Office document', html: 'a web page', unknown: 'unrecognised data' },
  tooSmall: (n, s) => s ? `“${n}” has only ${en.fBytes(s)}; WeCom wants at least 5.` : `“${n}” is empty (0 bytes).`,
  tooSmallDo: 'Copy or export the file again.',
  tooLarge: (n, s, mb) => `“${n}” has ${s} bytes (${mb} MB), over WeCom's limit of 200 MB (209,715,200 bytes).`,
  tooLargeDo: 'Compress it or cut it to less than 200 MB, then try again.',
  notMP4: (n, k) => `“${n}” is not an MP4 video; its content is really: ${k}.`,
  notMP4Do: 'Convert it to MP4 (renaming does not help), or use “Send as a file” below.',
  unreadable: n => `“${n}” cannot be read.`, unreadableDo: 'It may have been moved or changed, or is still being downloaded: choose it again.',
  pageFile: 'with “Send as a file” below', pageDrop: 'by choosing “File” above and dropping it again',
};

// chosen is the language that somebody chose in this browser, if it keeps such
// things.
function chosen() {
  try { return localStorage.getItem('wedrop.lang'); } catch { return null; }
}

let lang = chosen() === 'en' ? 'en' : 'zh';
let T = lang === 'en' ? en : zh;

// ---------------------------------------------------------------- small things

const $ = id => document.getElementById(id);

// el makes an element. A string among the children becomes text, never markup.
function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k === 'class') e.className = v;
    else if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.filter(c => c !== null && c !== undefined && c !== false));
  return e;
}

const icon = name => el('span', { class: `icon i-${name}`, 'aria-hidden': 'true' });
const button = (text, onclick, cls = 'small') => el('button', { type: 'button', class: cls, onclick }, text);

// text writes only what differs: a thousand rows are ticked every second.
function text(e, s) {
  if (e.textContent !== s) e.textContent = s;
}

const number = n => Number(n).toLocaleString('en-US');

function size(n) {
  if (n < 1024) return T.fBytes(n);
  const units = ['KB', 'MB', 'GB', 'TB'];
  let u = -1;
  do { n /= 1024; u++; } while (n >= 1023.95 && u < units.length - 1);
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[u]}`;
}

function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return T.sec(s);
  if (s < 3600) return T.min(Math.floor(s / 60));
  if (s < 86400) return T.hourMin(Math.floor(s / 3600), Math.floor(s / 60) % 60);
  return T.dayHour(Math.floor(s / 86400), Math.floor(s / 3600) % 24);
}

// exact is span with seconds, for a countdown that is looked at.
function exact(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = n => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  const d = Math.floor(s / 86400);
  if (!d) return clock;
  return lang === 'zh' ? `${d} 天 ${clock}` : `${d} d ${clock}`;
}

const moment = t => new Intl.DateTimeFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(t));
const percent = (part, whole) => whole > 0 ? Math.max(0, Math.min(100, Math.floor(part / whole * 100))) : 0;

async function copyText(s) {
  try {
    await navigator.clipboard.writeText(s);
    return true;
  } catch {
    // navigator.clipboard is missing on plain HTTP from another machine.
  }
  const box = el('textarea', { class: 'sr', readonly: true, 'aria-hidden': 'true' });
  box.value = s;
  const at = document.activeElement;
  (document.querySelector('dialog[open]') ?? document.body).append(box);
  box.select();
  let ok = false;
  try { ok = document.execCommand('copy'); } catch { /* ok stays false */ }
  box.remove();
  at?.focus?.();
  return ok;
}

function copyButton(id, name) {
  const word = el('span', {}, T.copy);
  const mark = icon('copy');
  const b = el('button', { type: 'button', class: 'copy', 'aria-label': T.copyOf(name), onclick: async ev => {
    ev.stopPropagation();
    if (!await copyText(id)) return toast(T.copyFailed);
    b.classList.add('ok');
    mark.className = 'icon i-check';
    word.textContent = T.copied;
    tell(T.copied);
    setTimeout(() => { b.classList.remove('ok'); mark.className = 'icon i-copy'; word.textContent = T.copy; }, 1800);
  } }, mark, word);
  return b;
}

// ---------------------------------------------------------------- the server

let skew = 0; // the server's clock less ours
const now = () => Date.now() + skew;
let leaving = false;

// A Refusal is what the server answered in place of a result, for a person.
class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.message || problem?.title || T.problem(status));
    this.status = status;
    this.code = problem?.code || '';
    this.remedy = problem?.remedy || T.problemRemedy;
  }
}

function parse(body) {
  try { return JSON.parse(body); } catch { return null; }
}

// api returns the parsed answer, or null for 304. Without a session it goes to
// the sign-in page.
async function api(path, { method = 'GET', etag } = {}) {
  const url = path + (path.includes('?') ? '&' : '?') + 'lang=' + lang;
  const headers = { Accept: 'application/json' };
  if (etag) headers['If-None-Match'] = etag;
  const r = await fetch(url, { method, headers, cache: 'no-store', credentials: 'same-origin' });
  if (r.status === 401) return signedOut();
  if (r.status === 304) return null;
  const body = parse(await r.text());
  if (!r.ok) throw new Refusal(r.status, body);
  if (body) Object.defineProperty(body, 'etag', { value: r.headers.get('ETag') });
  return body;
}

function signedOut() {
  leaving = true;
  location.replace('/');
  return new Promise(() => {});
}

// ---------------------------------------------------------------- toasts

// tell says something to screen readers alone.
function tell(s) {
  const t = el('p', { class: 'sr' }, s);
  $('toasts').append(t);
  setTimeout(() => t.remove(), 3000);
}

function toast(s, ...more) {
  const t = el('div', { class: 'toast' }, el('p', {}, s), ...more);
  $('toasts').append(t);
  while ($('toasts').querySelectorAll('.toast').length > 3) $('toasts').querySelector('.toast').remove();
  setTimeout(() => t.remove(), more.length ? 9000 : 5000);
}

// News comes one by one; several at once are told in one sentence.
const news = { ready: new Map(), held: new Map(), timer: 0 };

function noteNews(kind, item) {
  news[kind].set(item.id, item);
  if (!news.timer) news.timer = setTimeout(tellNews, 700);
}

function tellNews() {
  news.timer = 0;
  const ready = [...news.ready.values()], held = [...news.held.values()];
  news.ready.clear();
  news.held.clear();
  if (ready.length === 1) toast(T.readyToast(ready[0].name), copyButton(ready[0].media.id, ready[0].name));
  if (ready.length > 1) toast(T.readyMany(ready.length));
  if (held.length === 1) toast(T.heldToast(held[0].name));
  if (held.length > 1) toast(T.heldMany(held.length));
}

// ---------------------------------------------------------------- early refusal

const MIN_SIZE = 5, MAX_SIZE = 209715200;
const NAMED_MP4 = /\.(mp4|m4v)$/i;
const NAMED_3GP = /\.(3gp|3g2|3gpp)$/i;
const NAMED_VIDEO = /\.(mov|qt|mkv|avi|webm|flv|f4v|wmv|asf|mpg|mpeg|mpe|m2v|m2ts|vob|ogv|rm|rmvb|mxf|divx)$/i;
const NAMED_AUDIO = /\.(m4a|m4b|m4p|m4r|aac|mp3|wma|mka|weba|oga|ogg|opus|3ga|amr|wav|flac)$/i;

// kindOf names content by its first bytes: "mp4" for what may be one.
function kindOf(b) {
  const s = String.fromCharCode(...b);
  const box = s.slice(4, 8);
  if (box === 'ftyp') return s.slice(8, 12) === 'qt  ' ? 'quicktime' : 'mp4';
  if (['moov', 'mdat', 'free', 'skip', 'wide', 'uuid', 'styp', 'moof', 'sidx', 'pdin', 'pnot'].includes(box)) return 'mp4'; // the server reads on
  if (s.startsWith('\x1aE\xdf\xa3')) return 'matroska';
  if (s.startsWith('RIFF') && s.slice(8, 11) === 'AVI') return 'avi';
  if (s.startsWith('FLV')) return 'flv';
  if (s.startsWith('\x30\x26\xb2\x75')) return 'asf';
  if (s.startsWith('\0\0\x01\xba') || s.startsWith('\0\0\x01\xb3')) return 'mpeg';
  if (s.startsWith('\xff\xd8\xff') || s.startsWith('\x89PNG') || s.startsWith('GIF8')) return 'image';
  if (s.startsWith('%PDF')) return 'pdf';
  if (s.startsWith('PK\x03\x04')) return 'zip';
  if (/^\s*(<!doctype|<html|<\?xml)/i.test(s)) return 'html';
  return 'unknown';
}

// refusalOf tells why a file cannot go, before a byte of it is sent; null if
// nothing is known against it. The server has the last word.
async function refusalOf(file, type) {
  const n = file.name;
  if (file.size < MIN_SIZE) return { code: 'inspect/too-small', message: T.tooSmall(n, file.size), remedy: T.tooSmallDo };
  if (file.size > MAX_SIZE) return { code: 'inspect/too-large', message: T.tooLarge(n, number(file.size), (file.size / 1048576).toFixed(1)), remedy: T.tooLargeDo };
  let head;
  try {
    head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  } catch {
    return { code: 'inspect/unreadable', message: T.unreadable(n), remedy: T.unreadableDo };
  }
  if (type === 'file') return null;
  const kind = kindOf(head);
  const video = ['quicktime', 'matroska', 'avi', 'flv', 'asf', 'mpeg'].includes(kind);
  const named = NAMED_MP4.test(n) || NAMED_3GP.test(n) || NAMED_VIDEO.test(n);
  if (kind === 'mp4' || (type === 'auto' && !named && (!video || NAMED_AUDIO.test(n)))) return null;
  return { code: NAMED_MP4.test(n) || type === 'video' ? 'inspect/not-mp4' : 'inspect/unsupported-video',
    message: T.notMP4(n, T.kinds[kind]), remedy: T.notMP4Do, asFile: true };
}

const FILE_HELPS = /^inspect\/(not-mp4|unsupported-video|no-video-track|broken-mp4|truncated-mp4|encrypted-mp4)$/;

// forPage puts the page's ways in the place of the command line's. What it
// does not know it leaves as it is.
function forPage(remedy, hasFile) {
  const way = hasFile ? T.pageFile : T.pageDrop;
  return remedy
    .replace(/，或运行 ffmpeg [^；。]*/, '').replace(/, or run ffmpeg .*?out\.mp4|, for example with ffmpeg .*?out\.mp4/, '')
    .replace(/改为“文件”类型发送（--type file）/, way).replace(/可?加 --type file 作为普通文件发送/, m => (m[0] === '可' ? '可以' : '') + way)
    .replace(/with --type file/, way).replace(/\(--type file\)/, way)
    .replace(/（wedrop retry）/, '').replace(/ ?\(wedrop retry\)/, '');
}

// ---------------------------------------------------------------- uploads

const AT_ONCE = 3;
const uploads = []; // in the order in which they came
const ACTIVE = new Set(['checking', 'queued', 'going', 'waiting', 'paused', 'entering']);
let lastUp = 0; // how many uploads this page has begun
const tally = { all: 0, done: 0, bad: 0, bytes: 0, doneBytes: 0 };
let boost = 0; // until then the list is asked for often

const fingerprint = (file, type) => `wedrop-${type}-${file.name}-${file.size}-${file.lastModified}`;

function addFiles(files, type = document.querySelector('input[name=type]:checked').value) {
  for (const file of files) addFile(file, type);
}

async function addFile(file, type, orphan) {
  const twin = uploads.find(u => u.file && ACTIVE.has(u.state) && fingerprint(u.file, u.type) === fingerprint(file, type));
  if (twin) return toast(T.already(file.name));
  if (![...uploads].some(u => ACTIVE.has(u.state))) Object.assign(tally, { all: 0, done: 0, bad: 0, bytes: 0, doneBytes: 0 });
  const u = { n: ++lastUp, file, type, name: file.name, size: file.size, state: 'checking', sent: 0, rate: 0, fault: null, tus: null };
  tally.all++;
  tally.bytes += file.size;
  uploads.push(u);
  uploadRow(u);
  orphan ??= uploads.find(o => o.state === 'orphan' && o.name === file.name && o.size === file.size);
  if (orphan) {
    u.type = orphan.type;
    drop(orphan);
  }
  const fault = await refusalOf(file, u.type);
  if (u.state !== 'checking') return; // cancelled meanwhile
  if (fault) return refuse(u, fault);
  u.state = 'queued';
  nextUpload();
}

function nextUpload() {
  let free = AT_ONCE - uploads.filter(u => ['going', 'waiting', 'entering'].includes(u.state)).length;
  for (const u of uploads) {
    if (free <= 0) break;
    if (u.state !== 'queued') continue;
    free--;
    begin(u);
  }
  showUploads();
}

function begin(u) {
  u.state = 'going';
  if (u.tus) return u.tus.start();
  u.tus = new window.tus.Upload(u.file, {
    endpoint: '/upload/',
    retryDelays: [0, 500, 1500, 3000, 5000],
    metadata: { filename: u.file.name, filetype: u.file.type, type: u.type },
    headers: { 'Accept-Language': lang },
    removeFingerprintOnSuccess: true,
    fingerprint: () => Promise.resolve(fingerprint(u.file, u.type)),
    onShouldRetry: err => {
      const passes = transient(err) || displaced(err);
      if (passes && (u.state === 'going' || u.state === 'entering')) u.state = 'waiting';
      showUpload(u);
      return passes;
    },
    onProgress: sent => progress(u, sent),
    onSuccess: ({ lastResponse }) => sent(u, lastResponse),
    onError: err => broken(u, err),
  });
  u.tus.findPreviousUploads().then(found => {
    if (u.state !== 'going') return;
    if (found.length) u.tus.resumeFromPreviousUpload(found[0]);
    u.tus.start();
  });
}

// transient tells trouble that passes from a refusal.
function transient(err) {
  const status = err?.originalResponse?.getStatus() ?? 0;
  return status === 0 || status === 409 || status === 423 || status === 429 || (status >= 500 && status !== 507);
}

// displaced tells that another request took the upload over: a second look at
// how far it is, after a connection that hung. It goes on, unless that happens
// again and again.
function displaced(err) {
  return err?.originalResponse?.getStatus() === 400 && err.originalRequest?.getMethod() === 'PATCH';
}

function progress(u, sent) {
  if (u.state === 'waiting') Object.assign(u, { state: 'going', mark: null });
  const at = performance.now();
  if (!u.mark) u.mark = { at, sent };
  const took = (at - u.mark.at) / 1000;
  if (took >= 0.4) {
    const rate = Math.max(0, sent - u.mark.sent) / took;
    u.rate = u.rate ? u.rate * 0.6 + rate * 0.4 : rate;
    u.mark = { at, sent };
  }
  u.sent = sent;
  if (u.state === 'going' && sent >= u.size) u.state = 'entering';
  showUpload(u);
  showSum();
}

async function sent(u, response) {
  const id = Number(response?.getHeader('Wedrop-Item') || 0);
  tally.done++;
  tally.doneBytes += u.size;
  drop(u);
  nextUpload();
  boost = Date.now() + 15000;
  if (id) {
    try { await landed(id, u.name); } catch { /* the list will tell */ }
  }
  refreshSoon(0);
}

// landed shows where the file went, even if a filter hides it.
async function landed(id, name) {
  const had = S.items.get(id);
  const item = await api(`/api/items/${id}`);
  if (tally.all === 1 && (S.filter || S.q)) setView('', '');
  if (had?.step === 'done' && item.step === 'done') toast(T.known(name), copyButton(item.media.id, item.name));
  else S.fresh.add(id);
  S.flash.add(id);
  put(item);
  reconcile();
}

async function broken(u, err) {
  if (u.state === 'paused' || u.state === 'gone') return;
  const response = err?.originalResponse;
  if (response?.getStatus() === 401) return signedOut();
  if (!transient(err)) {
    const p = parse(response?.getBody() || '');
    const r = new Refusal(response.getStatus(), p);
    const code = r.code || response.getHeader('Wedrop-Code') || '';
    return refuse(u, { code, message: r.message, remedy: r.remedy, asFile: FILE_HELPS.test(code) && u.type !== 'file', again: !code.startsWith('inspect/') });
  }
  try {
    await u.file.slice(0, 1).arrayBuffer();
  } catch {
    return refuse(u, { code: 'inspect/unreadable', message: T.unreadable(u.name), remedy: T.unreadableDo });
  }
  u.state = 'waiting';
  showUpload(u);
  setTimeout(() => { if (u.state === 'waiting') u.tus.start(); }, 5000);
}

function refuse(u, fault) {
  forget(u);
  Object.assign(u, { state: 'refused', fault });
  $('uploads-list').prepend(u.row); // among a hundred others it would not be seen
  tally.bad++;
  tell(`${fault.message} ${fault.remedy}`);
  nextUpload();
}

// forget lets the browser forget what it kept for resuming.
async function forget(u) {
  const store = window.tus.defaultOptions.urlStorage;
  for (const p of await store.findUploadsByFingerprint(u.key ?? fingerprint(u.file, u.type))) await store.removeUpload(p.urlStorageKey);
}

function drop(u) {
  u.state = 'gone';
  u.row?.remove();
  uploads.splice(uploads.indexOf(u), 1);
  showUploads();
}

async function cancel(u) {
  u.state = 'gone';
  if (u.tus?.url) u.tus.abort(true).catch(() => {});
  else u.tus?.abort();
  if (u.file) forget(u);
  tally.all--;
  tally.bytes -= u.size;
  drop(u);
  nextUpload();
}

function pause(u) {
  u.state = 'paused';
  u.tus?.abort();
  u.rate = 0;
  nextUpload();
}

function resume(u) {
  Object.assign(u, { state: 'queued', mark: null });
  nextUpload();
}

function again(u, type) {
  const { file } = u;
  tally.bad--;
  tally.all--;
  tally.bytes -= u.size;
  drop(u);
  addFile(file, type);
}

// Uploads of another tab are no orphans, and to ask the server about them
// would break them off.
const tabs = new BroadcastChannel('wedrop');
const elsewhere = new Set();
tabs.addEventListener('message', e => {
  if (e.data.ask) tabs.postMessage({ busy: uploads.filter(u => ACTIVE.has(u.state) && u.tus?.url).map(u => u.tus.url) });
  for (const url of e.data.busy ?? []) elsewhere.add(url);
});

// findOrphans offers the uploads that a reload or another day left unfinished.
async function findOrphans() {
  const store = window.tus.defaultOptions.urlStorage;
  tabs.postMessage({ ask: true });
  await new Promise(ok => setTimeout(ok, 200));
  for (const p of await store.findAllUploads()) {
    if (!p.urlStorageKey?.startsWith('tus::wedrop-') || !p.uploadUrl || elsewhere.has(p.uploadUrl) || uploads.some(u => u.tus?.url === p.uploadUrl)) continue;
    let r;
    try {
      r = await fetch(new URL(p.uploadUrl, location.href).pathname, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' }, cache: 'no-store' });
    } catch { continue; }
    const offset = Number(r.headers.get('Upload-Offset') ?? NaN);
    if (!r.ok || !(offset < p.size)) {
      if (r.ok || r.status === 404 || r.status === 410) store.removeUpload(p.urlStorageKey);
      continue;
    }
    const u = { n: ++lastUp, state: 'orphan', name: p.metadata.filename, size: p.size, type: p.metadata.type, sent: offset, url: p.uploadUrl, key: p.urlStorageKey };
    uploads.push(u);
    uploadRow(u);
  }
}

async function discard(u) {
  window.tus.Upload.terminate(new URL(u.url, location.href).pathname).catch(() => {});
  await window.tus.defaultOptions.urlStorage.removeUpload(u.key);
  drop(u);
}

let wanted = null; // the orphan that the next picked file is for

function uploadRow(u) {
  u.row = el('li', { class: 'up' });
  u.nameEl = el('span', { class: 'up-name', title: u.name }, u.name);
  u.sayEl = el('span', { class: 'up-say' });
  u.fill = el('i');
  u.bar = el('span', { class: 'bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-label': u.name }, u.fill);
  u.acts = el('span', { class: 'up-acts' });
  u.faultEl = el('div', { class: 'fault' });
  u.row.append(u.nameEl, u.sayEl, u.acts, u.bar, u.faultEl);
  $('uploads-list').append(u.row);
  showUploads();
  showUpload(u);
}

// showUpload draws one; its buttons only when its state is another one.
function showUpload(u) {
  if (!u.row || u.state === 'gone') return;
  const p = percent(u.sent, u.size);
  u.fill.style.width = p + '%';
  u.bar.setAttribute('aria-valuenow', p);
  text(u.sayEl, uploadWords(u, p));
  const shown = u.state + lang;
  if (u.shown === shown) return;
  u.shown = shown;
  u.row.dataset.state = u.state;
  u.bar.hidden = u.state === 'refused';
  const acts = [];
  if (['going', 'waiting'].includes(u.state)) acts.push(button(T.pause, () => pause(u)));
  if (u.state === 'paused') acts.push(button(T.resume, () => resume(u)));
  if (['checking', 'queued', 'going', 'waiting', 'paused'].includes(u.state)) acts.push(button(T.cancel, () => cancel(u)));
  if (u.state === 'orphan') acts.push(button(T.pickAgain, () => { wanted = u; $('pick').click(); }, 'small strong'), button(T.forget, () => discard(u)));
  u.acts.replaceChildren(...acts);
  u.faultEl.replaceChildren();
  u.faultEl.hidden = u.state !== 'refused' && u.state !== 'orphan';
  if (u.state === 'orphan') u.faultEl.append(el('p', { class: 'message' }, T.orphanHint));
  if (u.state === 'refused') {
    u.faultEl.append(
      el('p', { class: 'remedy' }, icon('alert'), el('span', {}, forPage(u.fault.remedy, u.fault.asFile))), el('p', { class: 'message' }, u.fault.message),
      el('p', { class: 'fault-acts' }, u.fault.asFile && button(T.asFile, () => again(u, 'file'), 'small strong'),
        u.fault.again && button(T.tryAgain, () => again(u, u.type), 'small strong'), button(T.dismiss, () => drop(u))));
  }
}

function uploadWords(u, p) {
  const of = `${size(u.sent)} / ${size(u.size)}`;
  switch (u.state) {
    case 'going': {
      const bits = [`${T.going} ${p}%`, of];
      if (u.rate > 0) bits.push(T.perSec(size(Math.round(u.rate))));
      if (u.rate > 0 && u.sent < u.size) bits.push(T.about(span((u.size - u.sent) / u.rate * 1000 + 999)));
      return bits.join(' · ');
    }
    case 'waiting': return `${T.waiting} · ${p}%`;
    case 'paused': return `${T.paused} · ${p}% · ${of}`;
    case 'orphan': return T.orphan(u.name, p);
    case 'refused': return size(u.size);
    case 'entering': return T.entering;
  }
  return `${T[u.state] ?? ''} · ${size(u.size)}`;
}

function showUploads() {
  $('uploads').hidden = uploads.length === 0;
  for (const u of uploads) showUpload(u);
  showSum();
}

function showSum() {
  const sent = tally.doneBytes + uploads.reduce((n, u) => n + (ACTIVE.has(u.state) ? u.sent : 0), 0);
  const line = tally.all > 1 ? T.sum(tally.done, tally.all, size(sent), size(tally.bytes)) + (tally.bad ? T.sumBad(tally.bad) : '') : '';
  text($('uploads-sum'), line);
}

// filesOf lists what was dropped, the files inside folders too.
async function filesOf(transfer) {
  const entries = [...transfer.items].filter(i => i.kind === 'file').map(i => i.webkitGetAsEntry?.() ?? i.getAsFile());
  const out = [];
  const walk = async e => {
    if (e instanceof File) return out.push(e);
    if (/^(\.|~\$|Thumbs\.db$|desktop\.ini$)/i.test(e.name)) return;
    if (e.isFile) return out.push(await new Promise((ok, no) => e.file(ok, no)));
    const reader = e.createReader();
    for (;;) {
      const some = await new Promise((ok, no) => reader.readEntries(ok, no));
      if (!some.length) return;
      for (const s of some) await walk(s);
    }
  };
  for (const e of entries) {
    try {
      if (e) await walk(e);
    } catch {
      toast(`${T.unreadable(e.name)} ${T.unreadableDo}`);
    }
  }
  return out;
}

// ---------------------------------------------------------------- the list

const QUICK = 50, MOST = 1000;
const S = {
  items: new Map(), rows: new Map(), flights: new Map(), counts: null,
  filter: '', q: '', key: null, etag: null, rev: -1, wholeRev: -1, wholeAt: 0, next: null, more: false,
  fresh: new Set(), // uploaded here, not at their end yet
  flash: new Set(), // to be pointed at once
  first: true, status: null,
};

const query = (limit, before) => '/api/items?order=new&limit=' + limit + (S.filter ? '&state=' + S.filter : '') +
  (S.q ? '&q=' + encodeURIComponent(S.q) : '') + (before ? '&before=' + before : '');

// refresh asks for the newest items, and for the rest where something changed
// that the newest do not show. While files are worked on the rest is asked for
// every five seconds at most: it can be long.
async function refresh() {
  const key = [S.filter, S.q, lang].join('\n');
  const other = key !== S.key;
  const page = await api(query(QUICK), { etag: other ? null : S.etag });
  if (key !== [S.filter, S.q, lang].join('\n')) return refresh();
  if (page) {
    take(page, other);
    Object.assign(S, { key, etag: page.etag, rev: page.rev, next: page.next ?? null });
    reconcile();
  }
  const calm = !S.counts?.working || Date.now() - S.wholeAt > 5000;
  if (other || (S.rev !== S.wholeRev && calm)) await whole(key, other);
}

async function whole(key) {
  S.more = false;
  if (S.next !== null) {
    const page = await api(query(MOST - QUICK, S.next));
    if (key !== [S.filter, S.q, lang].join('\n')) return;
    await takeRest(page);
    S.more = (page.next ?? null) !== null;
  }
  Object.assign(S, { wholeRev: S.rev, wholeAt: Date.now() });
  showMore();
}

// take puts in the newest items. What should be among them and is not has
// left the view.
function take(page, other) {
  skew = Date.parse(page.now) - Date.now();
  S.counts = page.counts;
  S.flights = new Map((page.flights ?? []).map(f => [f.id, f]));
  const here = new Set(page.items.map(i => i.id));
  const cut = page.items.length && page.next != null ? page.items.at(-1).id : 0;
  for (const id of S.items.keys()) if (!here.has(id) && (other || id >= cut)) S.items.delete(id);
  for (const item of page.items) put(item);
  S.first = false;
  showCounts();
  showBlocked(page.blocked ?? []);
  showWaiting(page.waiting ?? []);
}

// showBlocked tells of what a person has to mend before anything goes on: one
// banner for each cause, however many files wait for it.
function showBlocked(all) {
  const sig = lang + JSON.stringify(all);
  if (S.blockedSig === sig) return;
  S.blockedSig = sig;
  S.blocked = new Set(all.map(b => b.code));
  $('blocked').replaceChildren(...all.map(b => el('div', { class: 'banner blocked', 'data-code': b.code },
    el('p', { class: 'many' }, icon('alert'), el('strong', {}, `${T.blockedBy(b.items)} ${b.message}`)), el('p', {}, forPage(b.remedy, false)))));
  for (const r of S.rows.values()) r.sig = '';
}

// showWaiting lists the files in folders that are not finished yet.
function showWaiting(all) {
  const sig = lang + JSON.stringify(all);
  if (S.waitingSig === sig) return;
  S.waitingSig = sig;
  $('waiting').hidden = !all.length;
  text($('waiting-sum'), number(all.length));
  $('waiting-list').replaceChildren(...all.map(w => el('li', { title: w.path }, w.message)),
    ...(all.length ? [el('li', { class: 'plain' }, T.waitingRemedy)] : []));
}

async function takeRest(page) {
  const here = new Set(page.items.map(i => i.id));
  for (const id of S.items.keys()) if (id < S.next && !here.has(id)) S.items.delete(id);
  if (page.next == null && !page.items.length) for (const id of S.items.keys()) if (id < S.next) S.items.delete(id);
  for (let n = 0; n < page.items.length; n += 100) {
    for (const item of page.items.slice(n, n + 100)) put(item);
    reconcile();
    await new Promise(ok => setTimeout(ok));
  }
  reconcile();
}

function put(item) {
  const was = S.items.get(item.id);
  S.items.set(item.id, item);
  if (S.first) return;
  const good = item.step === 'done' && item.media && !item.fault;
  const held = item.fault && !item.fault.retry;
  const on = S.fresh.has(item.id) || (was && (was.step !== 'done' && !(was.fault && !was.fault.retry)));
  if (good && on) noteNews('ready', item);
  if (held && on) noteNews('held', item);
  if (good || held) S.fresh.delete(item.id);
}

// reconcile brings the rows in line with the items, and reuses them.
function reconcile() {
  const box = $('rows');
  for (const [id, row] of S.rows) {
    if (S.items.has(id)) continue;
    row.root.remove();
    S.rows.delete(id);
  }
  let at = box.firstChild;
  for (const id of [...S.items.keys()].sort((a, b) => b - a)) {
    let row = S.rows.get(id);
    if (!row) S.rows.set(id, row = newRow(id));
    fillRow(row, S.items.get(id));
    if (row.root === at) at = at.nextSibling;
    else box.insertBefore(row.root, at);
  }
  $('empty').hidden = S.items.size > 0;
  text($('empty'), S.filter || S.q ? T.emptyFilter : T.empty);
  $('table').hidden = S.items.size === 0;
  tick();
  showDetail();
}

function newRow(id) {
  const r = { id, sig: '' };
  r.name = el('button', { type: 'button', class: 'name', onclick: () => openDetail(id) });
  r.sub = el('span', { class: 'sub' });
  r.mark = el('span', { class: 'mark', 'aria-hidden': 'true' });
  r.state = el('span', { class: 'state-words' });
  r.steps = el('span', { class: 'steps', 'aria-hidden': 'true' }, el('i'), el('i'), el('i'), el('i'));
  r.media = el('div', { role: 'cell', class: 'media' });
  r.life = el('span', { class: 'life' });
  r.lifeMore = el('span', { class: 'sub' });
  r.acts = el('div', { role: 'cell', class: 'acts right' });
  r.fault = el('div', { role: 'cell', class: 'fault' });
  r.root = el('div', { role: 'row', class: 'row item', 'data-id': id },
    el('div', { role: 'cell', class: 'who' }, r.mark, el('div', {}, r.name, r.sub)),
    el('div', { role: 'cell', class: 'state' }, r.state, r.steps),
    r.media,
    el('div', { role: 'cell', class: 'lives' }, r.life, r.lifeMore),
    r.acts, r.fault);
  return r;
}

// fillRow writes what changes only with the item; tick does the rest.
function fillRow(r, item) {
  const sig = lang + JSON.stringify(item);
  if (S.flash.delete(item.id)) {
    r.root.classList.add('flash');
    setTimeout(() => r.root.classList.remove('flash'), 2500);
  }
  if (r.sig === sig) return;
  r.sig = sig;
  const held = item.fault && !item.fault.retry;
  r.name.textContent = item.name;
  r.name.title = item.name;
  r.name.setAttribute('aria-label', T.detailsOf(item.name));
  r.sub.textContent = [T[item.type] ?? item.type, size(item.size)].join(' · ');
  r.mark.className = 'mark i-' + (item.type === 'video' ? 'video' : 'file');
  r.media.replaceChildren();
  if (item.media) r.media.append(el('code', { title: item.media.id }, item.media.id), copyButton(item.media.id, item.name));
  else r.media.append(el('span', { class: 'none' }, '–'));
  r.acts.replaceChildren(...[
    held && button(T.retry, e => act(e, item, 'retry'), 'small strong'),
    item.preview && button(T.preview, () => openPreview(item)),
    item.media && item.step === 'done' && button(T.renew, e => act(e, item, 'renew'), 'small renew'),
    button(T.details, () => openDetail(item.id), 'small only-narrow'),
  ].filter(Boolean));
  for (const b of r.acts.children) b.setAttribute('aria-label', `${b.textContent} ${item.name}`);
  r.fault.replaceChildren();
  r.fault.hidden = !item.fault;
  r.root.dataset.held = held ? 'yes' : 'no';
  if (item.fault && S.blocked?.has(item.fault.code)) r.fault.append(el('p', { class: 'message' }, `${item.fault.message} ${T.seeAbove}`));
  else if (held) r.fault.append(el('p', { class: 'remedy' }, icon('alert'), el('span', {}, forPage(item.fault.remedy, false))), el('p', { class: 'message' }, item.fault.message));
  else if (item.fault) r.fault.append(el('p', { class: 'message' }, item.fault.message));
}

// stateOf is how an item stands, in plain words: which of the four steps it
// is in, how far, and what to say.
function stateOf(item) {
  const f = S.flights.get(item.id);
  const part = f && f.step === item.step && f.total > 0 ? f.done / f.total : null;
  const held = item.fault && !item.fault.retry;
  if (held) return { kind: 'held', words: T.stopped, at: ['inspect', 'stage', 'submit', 'await'].indexOf(item.fault.step), part: 0 };
  if (item.fault && item.step !== 'done') {
    if (S.blocked?.has(item.fault.code) && !item.due) return { kind: 'again', words: T.blockedWait, at: ['inspect', 'stage', 'submit', 'await'].indexOf(item.step), part: 0 };
    const left = item.due ? Date.parse(item.due) - now() : 0;
    return { kind: 'again', words: T.again(left >= 1000 ? span(left) : ''), at: ['inspect', 'stage', 'submit', 'await'].indexOf(item.step), part: 0 };
  }
  switch (item.step) {
    case 'inspect': return { kind: 'work', words: (f ? T.inspect : T.inspectWait), at: 0, part: part ?? 0 };
    case 'stage': return { kind: 'work', words: (f ? `${T.stage} ${percent(part ?? 0, 1)}%` : T.stageWait), at: 1, part: part ?? 0 };
    case 'submit': return { kind: 'work', words: (f ? T.submitNow : T.submit), at: 2, part: f ? 0.5 : 0 };
    case 'await': {
      const since = item.waiting_since ?? item.job?.submitted_at;
      return { kind: 'wait', words: T.await + (since ? ` · ${T.waited(span(now() - Date.parse(since)))}` : ''), at: 3, part: 0.5 };
    }
  }
  if (item.media && Date.parse(item.media.expires_at) <= now()) return { kind: 'expired', words: T.expired, at: 4, part: 0 };
  return { kind: 'ready', words: T.ready, at: 4, part: 0 };
}

// lifeOf is how long a media_id still lives, and how near that is.
function lifeOf(item) {
  if (!item.media) return { level: 'none', words: T.noLife, more: '' };
  const left = Date.parse(item.media.expires_at) - now();
  const renews = item.step !== 'done' ? (item.fault && !item.fault.retry ? '' : T.renewing) : item.due ? T.renewsItself : '';
  if (left <= 0) return { level: 'red', words: T.gone(span(-left)), more: renews };
  const words = T.left(span(left));
  if (left < 3600e3) return { level: 'red', words, more: renews || T.verySoon };
  if (left < (S.status?.renew_before_seconds ?? 43200) * 1000) return { level: 'amber', words, more: renews || T.soon };
  return { level: 'good', words, more: renews };
}

function tickRow(r, item) {
  const s = stateOf(item);
  text(r.state, s.words);
  if (r.root.dataset.state !== s.kind) r.root.dataset.state = s.kind;
  const now = s.at + ':' + Math.round(s.part * 100);
  if (r.at !== now) {
    r.at = now;
    [...r.steps.children].forEach((i, n) => {
      i.className = n < s.at ? 'past' : n === s.at ? 'now' : '';
      i.style.setProperty('--part', n === s.at ? s.part : 0);
    });
  }
  const l = lifeOf(item);
  text(r.life, l.words);
  text(r.lifeMore, l.more);
  if (r.life.dataset.level !== l.level) r.life.dataset.level = l.level;
}

function tick() {
  for (const [id, r] of S.rows) tickRow(r, S.items.get(id));
  tickDetail();
}

const FILTERS = ['', 'working', 'done', 'held', 'expiring'];

function showCounts() {
  const c = S.counts ?? { working: 0, done: 0, held: 0, expiring: 0 };
  const box = $('chips');
  if (!box.firstChild) {
    for (const f of FILTERS) box.append(el('button', { type: 'button', class: 'chip', 'data-filter': f, onclick: () => setView(f, S.q) }, el('span'), ' ', el('b')));
    box.append(el('button', { type: 'button', class: 'small strong', id: 'retry-all', onclick: retryAll, hidden: true }));
  }
  for (const b of box.querySelectorAll('.chip')) {
    const f = b.dataset.filter;
    text(b.firstChild, T[f || 'all']);
    text(b.lastChild, number(f ? c[f] : c.working + c.done + c.held));
    b.setAttribute('aria-pressed', f === S.filter);
    b.classList.toggle('some', f !== '' && c[f] > 0);
  }
  $('retry-all').hidden = S.filter !== 'held' || c.held < 2;
  text($('retry-all'), T.retryAll(c.held));
}

function showMore() {
  const c = S.counts;
  const all = c ? (S.filter ? c[S.filter] : c.working + c.done + c.held) : 0;
  $('more').hidden = S.items.size === 0;
  text($('more'), S.more ? T.onlyNewest(number(S.items.size), number(Math.max(all, S.items.size))) : T.showing(number(S.items.size)));
}

function setView(filter, q) {
  Object.assign(S, { filter, q });
  if ($('q').value !== q) $('q').value = q;
  showCounts();
  refreshSoon(0);
}

async function act(ev, item, what) {
  const b = ev.currentTarget;
  b.disabled = true;
  try {
    S.fresh.add(item.id);
    put(await api(`/api/items/${item.id}/${what}`, { method: 'POST' }));
    S.fresh.add(item.id);
    toast((what === 'retry' ? T.retried : T.renewed)(item.name));
    boost = Date.now() + 10000;
    reconcile();
  } catch (e) {
    S.fresh.delete(item.id);
    toast(e instanceof Refusal ? `${forPage(e.remedy, false)} ${e.message}` : T.unreachable);
  }
  b.disabled = false;
  refreshSoon(0);
}

async function retryAll(ev) {
  ev.currentTarget.disabled = true;
  for (const item of [...S.items.values()].filter(i => i.fault && !i.fault.retry)) {
    try {
      await api(`/api/items/${item.id}/retry`, { method: 'POST' });
    } catch { /* the list tells which are still there */ }
  }
  $('retry-all').disabled = false;
  refreshSoon(0);
}

// ---------------------------------------------------------------- detail

const D = { id: 0, sig: '', history: [] };

async function openDetail(id) {
  Object.assign(D, { id, sig: '', history: [] });
  showDetail();
  $('detail').showModal();
  await loadHistory();
}

async function loadHistory() {
  const { id } = D;
  try {
    const r = await api(`/api/items/${id}/history`);
    if (D.id !== id) return;
    D.history = r.events ?? [];
    D.sig = '';
    showDetail();
  } catch { /* the dialog is useful without it */ }
}

function showDetail() {
  const item = S.items.get(D.id);
  if (!item) return;
  const sig = lang + JSON.stringify(item);
  if (D.sig === sig) return;
  if (D.sig && D.updated !== item.updated) loadHistory();
  D.sig = sig;
  D.updated = item.updated;
  $('detail-name').textContent = item.name;
  D.state = el('strong', { class: 'pill' });
  D.life = el('span', { class: 'life' });
  const held = item.fault && !item.fault.retry;
  const row = (k, v, copy) => v ? [el('dt', {}, k), el('dd', {}, el('span', { class: 'value' }, v), copy && copyButton(v, `${k} ${item.name}`))] : [];
  const fields = el('dl', {},
    ...row(T.fMedia, item.media?.id, true),
    ...row(T.fExpires, item.media && moment(item.media.expires_at)),
    ...row(T.fType, T[item.type] ?? item.type), ...row(T.fSize, `${size(item.size)}（${T.fBytes(number(item.size))}）`.replace(/（(.*)）/, lang === 'zh' ? '（$1）' : ' ($1)')),
    ...row(T.fMD5, item.md5, true), ...row(T.fJob, item.job?.id), ...row(T.fURL, item.object?.url, true), ...row(T.fPath, item.path),
    ...row(T.fCreated, item.created && moment(item.created)), ...row(T.fUpdated, item.updated && moment(item.updated)));
  const body = $('detail-body');
  const focus = body.contains(document.activeElement) ? [...body.querySelectorAll('button')].indexOf(document.activeElement) : -1;
  body.replaceChildren(...[
    el('p', { class: 'detail-state' }, D.state, D.life),
    item.fault && el('div', { class: 'fault' }, held && el('p', { class: 'remedy' }, icon('alert'), el('span', {}, forPage(item.fault.remedy, false))),
      el('p', { class: 'message' }, item.fault.message), el('p', { class: 'code' }, item.fault.code)),
    el('p', { class: 'detail-acts' }, held && button(T.retry, e => act(e, item, 'retry'), 'small strong'),
      item.preview && button(T.preview, () => openPreview(item)), item.media && item.step === 'done' && button(T.renew, e => act(e, item, 'renew'))),
    item.warnings?.length ? el('section', {}, el('h3', {}, T.warnings), el('ul', { class: 'notes' }, ...item.warnings.map(w => el('li', {}, w.message)))) : null,
    fields,
    el('section', {}, el('h3', {}, T.history), el('ol', { class: 'history' }, ...events(item))),
  ].filter(Boolean));
  if (focus >= 0) body.querySelectorAll('button')[focus]?.focus();
  tickDetail();
}

function tickDetail() {
  const item = S.items.get(D.id);
  if (!item || !D.state) return;
  const s = stateOf(item), l = lifeOf(item);
  text(D.state, s.words);
  D.state.dataset.state = s.kind;
  D.life.dataset.level = l.level;
  const left = item.media ? Date.parse(item.media.expires_at) - now() : 0;
  text(D.life, item.media ? (left > 0 ? T.left(exact(left)) : T.expired) + (l.more && left > 0 ? ` · ${l.more}` : '') : '');
}

function events(item) {
  const line = (at, words, code) => el('li', {}, el('time', { datetime: at }, moment(at)), el('span', {}, words, code && el('small', {}, code)));
  const out = item.created ? [line(item.created, T.received)] : [];
  for (const e of D.history) {
    if (e.what === 'entered') continue; // that is the line above
    const words = { moved_on: T.moved_on[e.step], failed: T.failed[e.step], went_back: T.went_back[e.step], stopped: T.stoppedAt[e.step],
      retried: T.retriedEvent, renewing: T.renewingEvent, sent_again: T.sent_again }[e.what] ?? e.message;
    out.push(line(e.at, words + (e.n > 1 ? T.times(e.n) : ''), e.code));
  }
  return out;
}

async function openPreview(item) {
  $('preview-name').textContent = item.name;
  const src = `/api/items/${item.id}/content`;
  const stage = $('preview-stage');
  stage.replaceChildren();
  $('preview').showModal();
  let mime = '';
  try {
    const r = await fetch(src, { headers: { Range: 'bytes=0-0' }, cache: 'no-store' });
    if (r.ok) mime = r.headers.get('Content-Type') ?? '';
    r.body?.cancel();
  } catch { /* no mime: said below */ }
  if (!$('preview').open) return;
  const failed = () => stage.replaceChildren(el('p', { class: 'message' }, T.noPreview));
  if (mime.startsWith('image/')) stage.append(el('img', { src, alt: item.name, onerror: failed }));
  else if (mime.startsWith('audio/')) stage.append(el('audio', { src, controls: true, onerror: failed }));
  else if (mime.startsWith('video/')) stage.append(el('video', { src, controls: true, playsinline: true, preload: 'metadata', onerror: failed }));
  else failed();
  stage.firstChild.focus?.();
}

// ---------------------------------------------------------------- the rhythm

let timer = 0, busy = false, hurry = false, failures = 0;

function refreshSoon(ms) {
  if (busy && ms === 0) hurry = true;
  clearTimeout(timer);
  timer = setTimeout(turn, ms);
}

async function turn() {
  if (busy) return;
  busy = true;
  try {
    if (!S.status) await loadStatus();
    await refresh();
    if (failures) for (const u of uploads) if (u.state === 'waiting' && u.tus?.url) u.row && showUpload(u);
    failures = 0;
    linked(true);
  } catch (e) {
    failures++;
    linked(e instanceof Refusal && e.status < 500, e);
  }
  busy = false;
  if (document.hidden) return;
  const working = S.counts?.working || uploads.some(u => ACTIVE.has(u.state));
  refreshSoon(hurry ? 0 : failures ? Math.min(10000, 1000 * failures) : Date.now() < boost && working ? 300 : working ? 1000 : 2000);
  hurry = false;
}

async function loadStatus() {
  S.status = await api('/api/status');
  if (chosen() === null && S.status.lang !== lang) setLang(S.status.lang === 'en' ? 'en' : 'zh', false);
  $('signout').hidden = !S.status.token;
  text($('foot'), T.foot(S.status.version));
}

function linked(ok, e) {
  const b = $('offline');
  if (failures === 1) return; // once is no news
  b.hidden = ok;
  if (!ok) text(b, e instanceof Refusal ? `${e.message} ${e.remedy}` : T.offline);
  $('link').dataset.ok = ok;
  text($('link-text'), ok ? T.online : T.lost);
}

function setLang(l, keep = true) {
  lang = l;
  T = l === 'en' ? en : zh;
  try { if (keep) localStorage.setItem('wedrop.lang', l); } catch { /* it holds until the page is left */ }
  words();
  if (document.body.dataset.page !== 'desk') return;
  showCounts();
  for (const u of uploads) {
    if (u.state === 'refused') u.shown = '';
    showUpload(u);
  }
  showUploads();
  reconcile();
  showMore();
  if (S.status) text($('foot'), T.foot(S.status.version));
  if (S.key !== null) linked($('offline').hidden);
  refreshSoon(0);
}

// words puts the language into what index.html and signin.html have.
function words() {
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  document.title = document.body.dataset.page === 'desk' ? T.title : T.signinTitle;
  for (const e of document.querySelectorAll('[data-i18n]')) text(e, T[e.dataset.i18n]);
  for (const e of document.querySelectorAll('[data-i18n-label]')) e.setAttribute('aria-label', T[e.dataset.i18nLabel]);
  const b = $('lang');
  b.textContent = T.other;
  b.lang = lang === 'zh' ? 'en' : 'zh-CN';
  b.setAttribute('aria-label', T.otherLabel);
  if (document.body.dataset.page !== 'desk') return;
  $('chips').setAttribute('aria-label', T.chipsLabel);
  $('q').placeholder = T.searchShort;
  typeHint();
}

function typeHint() {
  const t = document.querySelector('input[name=type]:checked').value;
  const key = { auto: 'hintAuto', video: 'hintVideo', file: 'hintFile' }[t];
  $('type-hint').dataset.i18n = key;
  text($('type-hint'), T[key]);
}

// ---------------------------------------------------------------- beginning

function desk() {
  words();
  showCounts();
  $('drop').addEventListener('click', () => { wanted = null; $('pick').click(); });
  $('pick').addEventListener('change', () => {
    const files = [...$('pick').files];
    $('pick').value = '';
    const o = wanted;
    wanted = null;
    if (o && files.length === 1 && files[0].name === o.name && files[0].size === o.size) return addFile(files[0], o.type, o);
    addFiles(files);
  });
  for (const r of document.querySelectorAll('input[name=type]')) r.addEventListener('change', typeHint);
  $('lang').addEventListener('click', () => setLang(lang === 'zh' ? 'en' : 'zh'));
  let wait = 0;
  $('q').addEventListener('input', () => {
    clearTimeout(wait);
    wait = setTimeout(() => setView(S.filter, $('q').value.trim()), 200);
  });
  dragging();
  document.addEventListener('paste', e => {
    const files = [...(e.clipboardData?.files ?? [])];
    if (files.length) addFiles(files);
  });
  for (const d of document.querySelectorAll('dialog')) {
    d.addEventListener('click', e => { if (e.target === d || e.target.closest('[data-close]')) d.close(); });
  }
  $('detail').addEventListener('close', () => Object.assign(D, { id: 0, state: null }));
  $('preview').addEventListener('close', () => $('preview-stage').replaceChildren());
  window.addEventListener('beforeunload', e => {
    if (!leaving && uploads.some(u => ACTIVE.has(u.state))) e.preventDefault();
  });
  $('signout').addEventListener('submit', () => { leaving = true; });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refreshSoon(0); });
  window.addEventListener('online', () => {
    for (const u of uploads) if (u.state === 'waiting') { u.tus.abort(); u.tus.start(); }
    refreshSoon(0);
  });
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  turn();
  findOrphans();
}

function dragging() {
  let deep = 0;
  const isFiles = e => [...(e.dataTransfer?.types ?? [])].includes('Files');
  const lift = on => { $('curtain').hidden = !on; document.body.classList.toggle('over', on); };
  window.addEventListener('dragenter', e => { if (isFiles(e)) { e.preventDefault(); deep++; lift(true); } });
  window.addEventListener('dragleave', e => { if (isFiles(e) && --deep <= 0) { deep = 0; lift(false); } });
  window.addEventListener('dragover', e => { if (isFiles(e)) e.preventDefault(); });
  window.addEventListener('drop', async e => {
    if (!isFiles(e)) return;
    e.preventDefault();
    deep = 0;
    lift(false);
    const type = document.querySelector('input[name=type]:checked').value;
    addFiles(await filesOf(e.dataTransfer), type);
  });
}

function signin() {
  words();
  $('lang').addEventListener('click', () => setLang(lang === 'zh' ? 'en' : 'zh'));
  $('signin').addEventListener('submit', async e => {
    e.preventDefault();
    const b = $('signin').querySelector('.primary');
    b.disabled = true;
    try {
      const r = await fetch('/signin', { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'Accept-Language': lang },
        body: JSON.stringify({ token: $('token').value }), cache: 'no-store', credentials: 'same-origin' });
      if (r.ok) return location.replace('/');
      text($('wrong'), r.status === 429 ? T.tooMany(r.headers.get('Retry-After') || '60') : r.status === 401 ? T.wrong : T.problem(r.status));
      $('token').select();
    } catch {
      text($('wrong'), T.unreachable);
    } finally {
      b.disabled = false;
    }
  });
}

if (document.body.dataset.page === 'desk') desk();
else signin();
