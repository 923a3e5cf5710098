/* The npm package "otr", an independent implementation of OTR versions 2 and 3, as one end of a conversation.
 *
 *     NODE_PATH=.../node_modules node peer.js ACCOUNT KEYFILE
 *
 * It takes the commands of ../peer.c, one per line on stdin, and answers them in the same way; the numbers of policies
 * and SMP events are libotr's. The key file, which is JSON, is made when there is none. Besides:
 *
 *     sendtlv TO HEX HEX   a text with raw bytes behind it where TLVs belong
 *     shortr               the next r that is drawn begins with four zero bits
 *     fault WORD           (said) the package has met a fault of its own, which strangers.py knows by this word
 */
"use strict";

const fs = require("fs");
const readline = require("readline");
const { OTR, DSA } = require("otr");
const numbers = require("otr/vendor/bigint.js");

/* ---- powers ------------------------------------------------------------------------------------------------------- */

const ofPackage = numbers.powMod;

/* The package's own powers take 50 to 150 ms each. V8's numbers give the same in a tenth of that. */
function power(base, exponent, modulus) {
	const native = (number) => BigInt("0x" + (numbers.bigInt2str(number, 16) || "0"));
	const m = native(modulus);
	let square = native(base) % m;
	let result = 1n;

	for (let bits = native(exponent); bits > 0n; bits >>= 1n) {
		if (bits & 1n) {
			result = (result * square) % m;
		}
		square = (square * square) % m;
	}
	return numbers.trim(numbers.str2bigInt(result.toString(16), 16), 1);
}

function powersAgree() {
	const modulus = numbers.str2bigInt(OTR.CONST.N, 16);

	for (let i = 0; i < 4; i++) {
		const base = numbers.randBigInt(1536);
		const exponent = numbers.randBigInt(i % 2 ? 1536 : 320);

		if (!numbers.equals(power(base, exponent, modulus), ofPackage(base, exponent, modulus))) {
			return false;
		}
	}
	return true;
}

numbers.powMod = power;

/* ---- what is said -------------------------------------------------------------------------------------------------- */

/* It gives nothing back: the package forgets a listener that gives back true. */
function say(...words) {
	process.stdout.write(words.join(" ") + "\n");
}

const hex = (text, encoding = "utf8") => Buffer.from(text, encoding).toString("hex") || "-";
const unhex = (word) => (word === "-" || word === undefined ? "" : Buffer.from(word, "hex").toString("utf8"));

/* The package logs to the console when it is to give its errors in full. */
console.log = () => {};

/* ---- the conversation ---------------------------------------------------------------------------------------------- */

const POLICY = { ALLOW_V2: 0x02, ALLOW_V3: 0x04, REQUIRE_ENCRYPTION: 0x08, SEND_WHITESPACE_TAG: 0x10,
	WHITESPACE_START_AKE: 0x20, ERROR_START_AKE: 0x40 };
const SMP = { abort: 2, answer: 4, secret: 5, success: 7, failure: 8 };

const keyfile = process.argv[3];
const { key, tag } = identity();
let policy = 0;
let fragmentSize = 0;
let other = null;
let otr = null;
let worn = false;
let lastR = null;
let lastError = null;

/* The key and the instance tag of this account, as they were the last time. */
function identity() {
	if (!fs.existsSync(keyfile)) {
		fs.writeFileSync(keyfile, JSON.stringify({ key: new DSA().packPrivate(), tag: OTR.makeInstanceTag() }));
	}
	const { key, tag } = JSON.parse(fs.readFileSync(keyfile, "utf8"));

	return { key: DSA.parsePrivate(key), tag };
}

/* The conversation with the one correspondent that this process has. */
function conversation(name) {
	if (!otr) {
		other = name;
		otr = new OTR({ priv: key, instance_tag: tag, debug: true });
		otr.on("io", (text) => say("wire", other, hex(text)));
		otr.on("ui", (text) => say("shown", hex(text)));
		otr.on("error", onError);
		otr.on("status", onStatus);
		otr.on("smp", onSmp);
		otr.on("file", (direction, symkey, name) => say("symkey", 1, hex(name), hex(symkey, "latin1")));
	}
	for (const [name, bit] of Object.entries(POLICY)) {
		otr[name] = (policy & bit) !== 0;
	}
	otr.fragment_size = fragmentSize;
	return otr;
}

/* The same, when something is to be sent or has come. The package chooses the DH key for its exchanges, and the number of
 * that key, when the object is made, and again only for a query inside a session. After any other exchange of an object
 * that has had a session, its data messages name keys that the other side was not told of. So a client makes a new
 * object for a new session. */
function renewed(name) {
	if (worn) {
		otr = null;
		worn = false;
	}
	return conversation(name);
}

function onError(text, severity) {
	lastError = text;
	say("error", severity, hex(text));
}

function onStatus(status) {
	if (status === OTR.CONST.STATUS_AKE_SUCCESS) {
		/* The package keeps its object for SMP, and drops what that says, because it still names the session before. */
		otr.sm = null;
		say("secure", otr.ake.otr_version.charCodeAt(1));
	} else if (status === OTR.CONST.STATUS_END_OTR && otr.msgstate === OTR.CONST.MSGSTATE_FINISHED) {
		say("tlv", 1, 0);
	}
}

function onSmp(what, value) {
	if (what === "question") {
		say("smp", value === undefined ? SMP.secret : SMP.answer, 25, hex(value || ""));
	} else if (what === "trust") {
		say("smp", value ? SMP.success : SMP.failure, 100, "-");
	} else {
		say("smp", SMP.abort, 0, "-");
	}
}

/* r, the key of a DH-commit, has 16 bytes. The package makes a number of it and loses its leading zeros: in every
 * sixteenth exchange, whoever drew the r, g^x is encrypted or decrypted with another key than the other side's. */
function tellShortR() {
	const r = otr && otr.ake.r;

	if (r && r !== lastR && numbers.bigInt2str(r, 16).length < 32 &&
			(otr.authstate === OTR.CONST.AUTHSTATE_AWAITING_DHKEY || lastError === "Hashed g^x does not match.")) {
		say("fault", "short-r");
	}
	lastR = r;
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

const COMMANDS = {
	policy: (bits) => { policy = Number(bits); },
	mms: (size) => { fragmentSize = Number(size); },
	send: (to, text) => {
		const query = unhex(text) === "?OTR?";

		worn = worn || (query && otr && otr.msgstate !== OTR.CONST.MSGSTATE_PLAINTEXT);
		if (query) {
			renewed(to).sendQueryMsg();
		} else {
			renewed(to).sendMsg(unhex(text));
		}
	},
	sendtlv: (to, text, tlvs) => {
		const ours = conversation(to);

		ours.io(ours.prepareMsg(unhex(text) + "\0" + Buffer.from(tlvs, "hex").toString("latin1")));
	},
	recv: (from, text) => {
		lastError = null;
		renewed(from).receiveMsg(unhex(text));
	},
	smp: (to, secret) => conversation(to).smpSecret(unhex(secret)),
	smpq: (to, secret, question) => conversation(to).smpSecret(unhex(secret), unhex(question)),
	respond: (to, secret) => conversation(to).smpSecret(unhex(secret)),
	abort: (to) => conversation(to).sm.abort(),
	symkey: (to, use, name) => conversation(to).sendFile(unhex(name)),
	close: (to) => {
		conversation(to).endOtr();
		worn = true;
	},
	state: (name) => {
		const ours = conversation(name);
		const theirs = ours.their_priv_pk;
		const version = ours.ake.otr_version;

		say("state", ours.msgstate, version ? version.charCodeAt(1) : 0, "-", theirs ? theirs.fingerprint() : "-",
			hex(ours.ssid || "", "latin1"), ours.msgstate === OTR.CONST.MSGSTATE_ENCRYPTED ? 1 : 0);
		say("own", key.fingerprint());
	},
	shortr: () => {
		const draw = numbers.randBigInt;

		numbers.randBigInt = (bits, top) => {
			if (bits !== 128) {
				return draw(bits, top);
			}
			numbers.randBigInt = draw;
			return draw(124, 1);
		};
	},
	powers: () => say("powers", powersAgree() ? "agree" : "differ"),
};

/* The package sends from timers. */
async function everythingIsSent() {
	while (otr && otr.outgoing.length) {
		await new Promise((resolve) => setTimeout(resolve, 0));
	}
}

async function main() {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const [name, ...words] = line.split(" ");

		if (COMMANDS[name]) {
			COMMANDS[name](...words);
		} else {
			say("unknown", name);
		}
		tellShortR();
		await everythingIsSent();
		say("done");
	}
}

main();
