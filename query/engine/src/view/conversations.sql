-- grain: One row per conversation: a thread of interactions and messages.
-- key: conversation_id
-- join: conversation_id → interactions.conversation_id (many)
-- column conversation_id: The thread, as it was written first.
-- column first_at: Time of its first interaction or message.
-- column last_at: Time of its last interaction or message.
-- column interactions: Interactions in it.
-- column messages: Messages, questions and answers in it.
-- column agents: Different agents and people in it.
-- column tokens_in: Input tokens of its interactions.
-- column tokens_out: Output tokens of its interactions.
-- column errors: Interactions of it that ended in an error.
SELECT
    min(conversation_id) AS conversation_id,
    min(time) AS first_at,
    max(time) AS last_at,
    sum(interactions) AS interactions,
    sum(messages) AS messages,
    count(DISTINCT who) AS agents,
    sum(tokens_in) AS tokens_in,
    sum(tokens_out) AS tokens_out,
    sum(errors) AS errors
FROM (
    SELECT conversation_id, time, 1 AS interactions, 0 AS messages, lower(agent_id) AS who,
        coalesce(tokens_in, 0) AS tokens_in, coalesce(tokens_out, 0) AS tokens_out,
        CASE WHEN error IS NOT NULL OR status = 'error' THEN 1 ELSE 0 END AS errors
    FROM interactions
    WHERE conversation_id IS NOT NULL
    UNION ALL
    SELECT conversation_id, time, 0, 1, lower(sender), 0, 0, 0
    FROM base.messages
    WHERE conversation_id IS NOT NULL
)
GROUP BY lower(conversation_id)
