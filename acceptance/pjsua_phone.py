"""A phone made of `pjsua2-python`: orders come as lines of JSON, what happens goes out as such."""

import json
import os
import select
import sys

import pjsua2 as pj

TRANSPORTS = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
# The names that it has for formats.
CODECS = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1"}
DIGITS = {"rtp": pj.PJSUA_DTMF_METHOD_RFC2833, "info": pj.PJSUA_DTMF_METHOD_SIP_INFO}
POLL_MS = 20


def tell(*event):
    # The library prints on the standard output, too, and need not end its lines.
    sys.stdout.write("\n" + json.dumps(event) + "\n")
    sys.stdout.flush()


class Call(pj.Call):
    def __init__(self, phone, *args):
        super().__init__(phone.account, *args)
        self.phone = phone

    def onCallState(self, _):  # noqa: N802 - named by the library
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            tell("established", info.lastStatusCode)
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            tell("closed", info.lastStatusCode)

    def onCallMediaState(self, _):  # noqa: N802 - named by the library
        # What is in it goes with it.
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self.phone.player.startTransmit(audio)
                audio.startTransmit(self.phone.recorder)

    def onCallTransferStatus(self, status):  # noqa: N802 - named by the library
        tell("transfer", status.statusCode)


class Account(pj.Account):
    def __init__(self, phone):
        super().__init__()
        self.phone = phone

    def onRegState(self, registration):  # noqa: N802 - named by the library
        tell("registered", registration.code)

    def onIncomingCall(self, invite):  # noqa: N802 - named by the library
        self.phone.take(Call(self.phone, invite.callId))


class Phone:
    def __init__(self, settings):
        self.settings = settings
        self.library = pj.Endpoint()
        self.library.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.userAgent = "pjsua2"
        config.logConfig.level, config.logConfig.consoleLevel = 5, 0
        config.logConfig.filename = "pjsua.log"
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        self.library.libInit(config)
        self.library.transportCreate(TRANSPORTS[settings["transport"]], self.transport())
        self.library.audDevManager().setNullDev()
        self.library.libStart()
        for codec in self.library.codecEnum2():
            wanted = codec.codecId == CODECS[settings["codec"]]
            self.library.codecSetPriority(codec.codecId, 255 if wanted else 0)
        self.player, self.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
        self.player.createPlayer(settings["voice"])
        self.recorder.createRecorder(settings["heard"])
        self.call = None
        self.account = Account(self)
        self.account.create(self.identity())

    def transport(self):
        config = pj.TransportConfig()
        config.port = self.settings["sip_port"]
        config.boundAddress = "127.0.0.1"
        if self.settings["transport"] == "tls":
            config.tlsConfig.CaListFile = self.settings["tls"][0]
            config.tlsConfig.verifyServer = True
        return config

    def identity(self):
        user, given = self.settings["user"], self.settings
        config = pj.AccountConfig()
        config.idUri = f"sip:{user}@phone.plivo.com"
        config.regConfig.registrarUri = "sip:phone.plivo.com"
        config.sipConfig.proxies.append(f"sip:{given['address']};transport={given['transport']};lr")
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, given["password"]))
        config.mediaConfig.transportConfig.port = given["rtp_port"]
        config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
        if given["srtp"]:
            config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
            config.mediaConfig.srtpSecureSignaling = 0
            config.mediaConfig.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
        return config

    def take(self, call):
        self.call = call
        answer = pj.CallOpParam()
        answer.statusCode = 200
        call.answer(answer)

    def obey(self, order, *arguments):
        match order:
            case "call":
                self.call = Call(self)
                self.call.makeCall(arguments[0], pj.CallOpParam(True))
            case "hold":
                self.call.setHold(pj.CallOpParam(True))
            case "resume":
                again = pj.CallOpParam(True)
                again.opt.flag = pj.PJSUA_CALL_UNHOLD
                self.call.reinvite(again)
            case "transfer":
                self.call.xfer(arguments[0], pj.CallOpParam(True))
            case "digit":
                press = pj.CallSendDtmfParam()
                press.digits, press.method = arguments[0], DIGITS[arguments[1]]
                self.call.sendDtmf(press)
            case "hangup":
                self.call.hangup(pj.CallOpParam(True))

    def run(self):
        unread = b""
        while True:
            self.library.libHandleEvents(POLL_MS)
            while select.select([0], [], [], 0)[0]:
                if not (piece := os.read(0, 4096)):
                    return
                unread += piece
            *orders, unread = unread.split(b"\n")
            for order in map(json.loads, orders):
                if order == ["quit"]:
                    return
                self.obey(*order)

    def close(self):
        self.account.setRegistration(False)
        for _ in range(1000 // POLL_MS):
            self.library.libHandleEvents(POLL_MS)
        # Without the library, what was made of it must not be taken down any more.
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    made = Phone(json.loads(sys.argv[1]))
    made.run()
    made.close()
