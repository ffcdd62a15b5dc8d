"""Checks the systemd unit by a parser of its own.

Usage: service.py, with CALLBOARD_PROGRAM in the environment.
"""

import unittest

from packaging_files import read, seconds, unit
from program_help import options_of

# Has to stand in [Service] just so. What weakens it is noticed.
MUST_HAVE = {
    "Type": "notify",
    "NotifyAccess": "main",
    "ExecStart":
        "/usr/bin/callboard serve --config /etc/callboard/callboard.conf",
    "ExecReload": "/bin/kill -HUP $MAINPID",
    "Restart": "on-failure",
    "User": "callboard",
    "Group": "callboard",
    "StateDirectory": "callboard",
    "StateDirectoryMode": "0750",
    "UMask": "0027",
    "AmbientCapabilities": "CAP_NET_BIND_SERVICE",
    "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    # For the service manager's socket and names of users: AF_UNIX.
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallErrorNumber": "EPERM",
}


class Service(unittest.TestCase):
    def setUp(self):
        self.unit = unit()
        self.service = self.unit["Service"]

    def only(self, key):
        self.assertEqual(len(self.service[key]), 1, key)
        return self.service[key][0]

    def test_sections(self):
        self.assertEqual(list(self.unit), ["Unit", "Service", "Install"])
        self.assertEqual(self.unit["Install"],
                         {"WantedBy": ["multi-user.target"]})
        self.assertTrue(self.unit["Unit"]["Description"])

    def test_must_have(self):
        for key, value in MUST_HAVE.items():
            with self.subTest(key=key):
                self.assertEqual(self.service.get(key), [value])

    def test_system_calls(self):
        self.assertEqual(self.service["SystemCallFilter"],
                         ["@system-service", "~@privileged"])

    def test_nothing_opens_what_is_closed(self):
        for key in ("ReadWritePaths", "BindPaths", "DeviceAllow",
                    "SupplementaryGroups", "PermissionsStartOnly"):
            self.assertNotIn(key, self.service)

    def test_there_is_time_for_a_drain(self):
        drain = seconds(options_of("serve")["drain-timeout"].default)
        self.assertGreater(seconds(self.only("TimeoutStopSec")), 2 * drain)

    def test_there_are_descriptors_for_all_connections(self):
        most = options_of("serve")["max-connections"].bounds.split(" to ")[1]
        self.assertGreaterEqual(int(self.only("LimitNOFILE")), int(most) + 128)

    def test_its_options_are_those_of_the_program(self):
        words = self.only("ExecStart").split()
        self.assertEqual(words[1], "serve")
        for word in words[2:]:
            if word.startswith("--"):
                self.assertIn(word[2:], options_of("serve"))

    def test_the_package_makes_its_user(self):
        last = read("postinst").partition("adduser ")[2].split("\nfi")[0].split()
        self.assertIn("--system", last)
        self.assertIn("--group", last)
        self.assertEqual(last[-1], self.only("User"))

    def test_a_service_that_does_not_start_fails_no_upgrade(self):
        restarts = [line.strip() for line in read("postinst").splitlines()
                    if line.strip().startswith("deb-systemd-invoke")]
        self.assertEqual(
            restarts,
            ["deb-systemd-invoke try-restart callboard.service || true"])

    def test_the_example_has_the_unit_s_folder(self):
        self.assertIn("\n#store-dir = /var/lib/" + self.only("StateDirectory"),
                      read("callboard.conf"))


if __name__ == "__main__":
    unittest.main()
