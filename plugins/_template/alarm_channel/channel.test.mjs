// node --test plugins/alarm_channels/KIND/channel.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import channel from './channel.mjs';

const message = {
  id: 'a1b2c3d4-1',
  notices: [{ what: 'raised', title: 'mmp/smux02 pop3 connect: connection refused' }],
  open: [],
};
const settings = { url: 'https://example.net/notify', token: 'secret', room: 'ops' };

test('posts the title to the room', async () => {
  let sent;
  const http = async request => {
    sent = request;
    return { came: 'reply', status: 200, body: 'ok' };
  };
  const outcome = await channel.bring(message, settings, { http });
  assert.equal(outcome.result, 'delivered');
  assert.deepEqual(JSON.parse(sent.body), {
    id: 'a1b2c3d4-1',
    room: 'ops',
    text: 'raised: mmp/smux02 pop3 connect: connection refused',
    alarms: 1,
  });
});

test('a service that is overloaded is tried again', async () => {
  const http = async () => ({ came: 'reply', status: 503, body: '' });
  const outcome = await channel.bring(message, settings, { http });
  assert.equal(outcome.result, 'failed');
  assert.equal(outcome.again, 'soon');
});
