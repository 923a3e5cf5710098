// otr3, an implementation of OTR versions 2 and 3 in Go, as one end of a conversation.
//
//	peer ACCOUNT KEYFILE
//
// It takes the commands of ../peer.c, one per line on stdin, and answers them in the same way; the numbers of policies, SMP
// events and states are libotr's. The key file has the key and the instance tag, and is made when there is none. Besides:
//
//	fault WORD           (said) the package has met a fault of its own
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twstrike/otr3"
)

const (
	plaintext = iota
	encrypted
	finished
)

var smpEvents = map[otr3.SMPEvent]int{
	otr3.SMPEventError: 1, otr3.SMPEventAbort: 2, otr3.SMPEventCheated: 3, otr3.SMPEventAskForAnswer: 4,
	otr3.SMPEventAskForSecret: 5, otr3.SMPEventInProgress: 6, otr3.SMPEventSuccess: 7, otr3.SMPEventFailure: 8,
}

// A peer is one account, and the conversation with the one correspondent that this process has.
type peer struct {
	key          otr3.PrivateKey
	conversation *otr3.Conversation
	other        string
	receiving    bool
	msgstate     int
	version      int
}

func toHex(text []byte) string {
	if len(text) == 0 {
		return "-"
	}
	return hex.EncodeToString(text)
}

func fromHex(word string) []byte {
	text, _ := hex.DecodeString(word)
	return text
}

func say(format string, words ...interface{}) {
	fmt.Printf(format+"\n", words...)
}

// ---- identity ----------------------------------------------------------------------------------------------------------

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// identity returns the key and the instance tag of this account, as they were the last time.
func identity(keyfile string) (otr3.PrivateKey, uint32) {
	text, err := os.ReadFile(keyfile)
	if err != nil {
		var key otr3.DSAPrivateKey
		check(key.Generate(rand.Reader))
		tag := new(otr3.Conversation).InitializeInstanceTag(0)
		text = []byte(fmt.Sprintf("%x %d", key.Serialize(), tag))
		check(os.WriteFile(keyfile, text, 0o600))
	}
	words := strings.Fields(string(text))
	_, ok, key := otr3.ParsePrivateKey(fromHex(words[0]))
	tag, err := strconv.ParseUint(words[1], 10, 32)
	check(err)
	if !ok {
		check(fmt.Errorf("%s has no key", keyfile))
	}
	return key, uint32(tag)
}

// ---- what happens ------------------------------------------------------------------------------------------------------

// HandleSMPEvent tells what libotr would.
func (p *peer) HandleSMPEvent(event otr3.SMPEvent, percent int, question string) {
	say("smp %d %d %s", smpEvents[event], percent, toHex([]byte(question)))
}

// HandleSecurityEvent keeps the state, which the package does not show but for the encrypted one.
func (p *peer) HandleSecurityEvent(event otr3.SecurityEvent) {
	switch {
	case event != otr3.GoneInsecure:
		p.msgstate = encrypted
		say("secure %d", p.version)
	case p.receiving:
		p.msgstate = finished
		say("tlv 1 0")
	default:
		p.msgstate = plaintext
	}
}

// HandleMessageEvent tells of what the package counts as an error.
func (p *peer) HandleMessageEvent(event otr3.MessageEvent, message []byte, err error, trace ...interface{}) {
	say("event %s", event)
}

// note takes the version from what goes over the wire: the package does not tell it.
func (p *peer) note(wire []byte) {
	for prefix, version := range map[string]int{"?OTR:AAI": 2, "?OTR,": 2, "?OTR:AAM": 3, "?OTR|": 3} {
		if strings.HasPrefix(string(wire), prefix) {
			p.version = version
		}
	}
}

func (p *peer) inject(messages []otr3.ValidMessage, err error) {
	for _, message := range messages {
		p.note(message)
		say("wire %s %s", p.other, toHex(message))
		// Where the length of a message is a multiple of that of its pieces, an empty one follows, which nobody can put to the others.
		if strings.HasSuffix(string(message), ",,") {
			say("fault empty-piece")
		}
	}
	if err != nil {
		say("error %s", toHex([]byte(err.Error())))
	}
}

// ---- commands ----------------------------------------------------------------------------------------------------------

func (p *peer) policy(bits int) {
	policies := &p.conversation.Policies
	// The type has no name outside the package, and no way to take a bit away.
	p.conversation.Policies = 0
	for bit, add := range map[int]func(){
		0x02: policies.AllowV2, 0x04: policies.AllowV3, 0x08: policies.RequireEncryption,
		0x10: policies.SendWhitespaceTag, 0x20: policies.WhitespaceStartAKE, 0x40: policies.ErrorStartAKE,
	} {
		if bits&bit != 0 {
			add()
		}
	}
}

func (p *peer) send(text []byte) {
	if string(text) == "?OTR?" {
		p.inject([]otr3.ValidMessage{p.conversation.QueryMessage()}, nil)
		return
	}
	p.inject(p.conversation.Send(text))
}

func (p *peer) recv(wire []byte) {
	p.note(wire)
	p.receiving = true
	plain, answers, err := p.conversation.Receive(wire)
	p.receiving = false
	if plain != nil {
		say("shown %s", toHex(plain))
	}
	p.inject(answers, err)
}

func (p *peer) close() {
	p.inject(p.conversation.End())
	p.msgstate = plaintext
}

func (p *peer) state() {
	session, theirs, version := "-", "-", 0
	if p.msgstate == encrypted {
		ssid := p.conversation.GetSSID()
		session, version = toHex(ssid[:]), p.version
	}
	if key := p.conversation.GetTheirKey(); key != nil {
		theirs = toHex(key.Fingerprint())
	}
	if p.conversation.IsEncrypted() != (p.msgstate == encrypted) {
		say("event the state that was told is not that of the package")
	}
	say("state %d %d - %s %s %d", p.msgstate, version, theirs, session, 0)
	say("own %s", toHex(p.key.PublicKey().Fingerprint()))
}

func (p *peer) handle(words []string) {
	number := func(i int) int {
		value, _ := strconv.Atoi(words[i])
		return value
	}

	switch words[0] {
	case "policy":
		p.policy(number(1))
		return
	case "mms":
		p.conversation.SetFragmentSize(uint16(number(1)))
		return
	}
	p.other = words[1]
	switch words[0] {
	case "send":
		p.send(fromHex(words[2]))
	case "recv":
		p.recv(fromHex(words[2]))
	case "smp":
		p.inject(p.conversation.StartAuthenticate("", fromHex(words[2])))
	case "smpq":
		p.inject(p.conversation.StartAuthenticate(string(fromHex(words[3])), fromHex(words[2])))
	case "respond":
		p.inject(p.conversation.ProvideAuthenticationSecret(fromHex(words[2])))
	case "close":
		p.close()
	case "state":
		p.state()
	default:
		say("unknown %s", words[0])
	}
}

func main() {
	key, tag := identity(os.Args[2])
	conversation := new(otr3.Conversation)
	conversation.SetOurKeys([]otr3.PrivateKey{key})
	conversation.InitializeInstanceTag(tag)
	p := &peer{key: key, conversation: conversation}
	conversation.SetSMPEventHandler(p)
	conversation.SetSecurityEventHandler(p)
	conversation.SetMessageEventHandler(p)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if words := strings.Fields(line); len(words) > 0 {
			p.handle(words)
		}
		say("done")
	}
}
