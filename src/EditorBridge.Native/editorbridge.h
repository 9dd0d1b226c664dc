/* EditorBridge for programs in other languages: plans, submits, watches and fetches jobs of the host on this machine.
 *
 * Text is UTF-8 and ends with a zero byte. Messages are the JSON of editorbridge.v1 (src/EditorBridge.Protocol), as on the host's HTTP endpoint:
 * fields in lowerCamelCase, 64-bit numbers as text, enums by name.
 *
 * Threads: every function may be called from any thread, and several at a time on one client. Each call blocks until it is done, so call from a
 * thread that may wait, never from an editor's own. Callbacks run on the thread that called eb_watch, and no other thread calls back. From a callback
 * every function may be called but eb_disconnect on the same client. The last error belongs to the thread whose call failed.
 *
 * The library stays loaded: closing it does not unmap it. No function throws, and a stale or made-up client is an error (BAD_HANDLE), not a crash.
 */
#ifndef EDITORBRIDGE_H
#define EDITORBRIDGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A client. 0 is none. */
typedef int64_t eb_client;

enum { EB_ABI_VERSION = 1 };

enum {
  EB_OK = 0,
  EB_ERROR = 1, /* eb_last_error says more */
  EB_LEFT = 2   /* the callback asked to leave */
};

/* EB_ABI_VERSION of the library; anything else has other functions. */
int32_t eb_abi_version(void);

/* A client of the host on a data folder (NULL: the default one). With start_host other than 0 a host is started when none runs; host_program is
 * that program's path, or NULL to look where EDITORBRIDGE_HOST says and beside this library. Returns 0 on failure. */
eb_client eb_connect(const char *data_folder, const char *host_program, int32_t start_host);

/* Ends a client. Calls that go on on other threads end with an error. */
void eb_disconnect(eb_client client);

/* How a JobSpec would be carried out: a Plan, whose "refusals" name what cannot be done. NULL on failure. */
char *eb_plan(eb_client client, const char *spec_json);

/* Stores a Job (its "spec", perhaps "labels" and "priority") and returns it with its name. request_id is a UUID that makes a repeated submission the
 * same job, or NULL. NULL on failure. */
char *eb_submit(eb_client client, const char *job_json, const char *request_id);

/* The Job as it is now. NULL on failure. */
char *eb_get(eb_client client, const char *job);

/* Told a JobEvent, or NULL when nothing has happened for a quarter of a second. The text is valid until the callback returns. Anything but 0 ends
 * the watch; the job goes on. */
typedef int32_t (*eb_event)(void *user, const char *event_json);

/* Watches "jobs/..." until it has ended: the first event is the Job as it is, the last one the Job in its last state. previews other than 0 asks for
 * pictures as well. A broken connection is taken up again. EB_OK, EB_LEFT or EB_ERROR. */
int32_t eb_watch(eb_client client, const char *job, int32_t previews, eb_event callback, void *user);

/* Asks for a job to be ended and returns it as it then is. NULL on failure. */
char *eb_cancel(eb_client client, const char *job);

/* Copies a clip ("jobs/.../clips/...") to a file, which is there whole or not at all. An existing one is replaced only when overwrite is not 0. */
int32_t eb_fetch(eb_client client, const char *clip, const char *destination, int32_t overwrite);

/* Uploads a file for a host that cannot read it where it lies; the Asset's "name" stands in a job in place of a path. NULL on failure. */
char *eb_upload(eb_client client, const char *path);

/* Lays out a clip's frames as pixels in one file: a FrameFile. bits is 8 or 16. NULL on failure. */
char *eb_prepare_frames(eb_client client, const char *clip, int32_t bits);

/* The host's models: {"models": [Model, ...]}, the default first. NULL on failure. */
char *eb_models(eb_client client);

/* Why the last call on this thread failed: one sentence for people. Empty when none has. Valid until the next failure on this thread. */
const char *eb_last_error(void);

/* The same for programs: UPPER_SNAKE, such as HOST_UNREACHABLE. */
const char *eb_last_reason(void);

/* Frees text that a function returned as char *. NULL is fine. */
void eb_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
